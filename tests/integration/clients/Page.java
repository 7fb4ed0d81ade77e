import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** java Page.java URL...: follows __next from each; prints each row's key. In the environment: PROXY, BASIC. */
public class Page {
    public static void main(String[] urls) throws Exception {
        HttpClient.Builder builder = HttpClient.newBuilder();
        String proxy = System.getenv("PROXY"), basic = System.getenv("BASIC");
        if (proxy != null) {
            URI at = URI.create(proxy);
            builder.proxy(ProxySelector.of(new InetSocketAddress(at.getHost(), at.getPort())));
        }
        HttpClient client = builder.build();
        for (String start : urls) {
            for (String url = start; url != null; ) {
                HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url));
                if (basic != null)
                    request.header("Authorization",
                            "Basic " + Base64.getEncoder().encodeToString(basic.getBytes("UTF-8")));
                HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() != 200)
                    throw new IllegalStateException(answer.statusCode() + " " + answer.body());
                print(answer.body(), "\"(?:userId|id)\": ?\"([^\"]*)\"");
                String next = first(answer.body(), "\"__next\": ?\"([^\"]*)\"");
                String id = first(answer.body(), "\"nextId\": ?\"([^\"]*)\"");
                if (id != null && !id.equals("end"))
                    next = start.split("\\?")[0] + "?count=100&startId=" + id;
                url = next;
            }
        }
    }

    static void print(String text, String pattern) {
        for (Matcher m = Pattern.compile(pattern).matcher(text); m.find(); )
            System.out.println(m.group(1));
    }

    static String first(String text, String pattern) {
        Matcher m = Pattern.compile(pattern).matcher(text);
        return m.find() ? m.group(1) : null;
    }
}
