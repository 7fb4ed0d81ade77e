// node browser.mjs: reads {foreign: [page URLs], targets: [proxy base URLs], own: [URLs], rebound: [URLs]} from stdin.
// Prints the paths that were called, those that could be read with what was read, and the status of each navigation.
// In the environment: MODULES, the folder of playwright-core.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const { chromium } = createRequire(process.env.MODULES + "/")("playwright-core");
const { foreign, targets, own, rebound } = JSON.parse(readFileSync(0, "utf8"));

// How long a way is waited for, in ms. A worker takes its time to begin on a busy machine, and says when it is done;
// some of the others never do, though they call at once.
const limitOf = (way) => (way.startsWith("worker") ? 60000 : 2000);

// Runs in the page. Each way calls a URL and gives what it could read of the answer: a text, or null.
function attempt([way, url, limit]) {
    const text = (answer) => answer.text().then((t) => t || null);
    const patience = (promise) => Promise.race([promise, new Promise((done) => setTimeout(done, limit, null))]);
    const add = (name, settings, read = () => "loaded") =>
        new Promise((done) => {
            const element = Object.assign(document.createElement(name), settings);
            element.onload = element.onloadeddata = () => done(read(element));
            element.onerror = () => done(null);
            document.body.append(element);
            if (name === "video") element.load();
        });
    const inside = (frame) => {
        try {
            return frame.contentDocument?.body?.innerText || null;
        } catch {
            return null;
        }
    };
    const form = (settings) => {
        const frame = Object.assign(document.createElement("iframe"), { name: way });
        const element = Object.assign(document.createElement("form"), { action: url, target: way, ...settings });
        element.innerHTML = '<input name="a" value="b">';
        document.body.append(frame, element);
        return new Promise((done) => {
            element.submit();
            frame.onload = () => done(inside(frame));
        });
    };
    const worker = (code) =>
        new Promise((done) => {
            const source = new Blob([`const url = ${JSON.stringify(url)}; const done = postMessage; ${code}`]);
            const w = new Worker(URL.createObjectURL(source));
            w.onmessage = (message) => done(message.data);
            w.onerror = () => done(null);
        });
    const ways = {
        "fetch": () => fetch(url).then(text),
        "fetch-no-cors": () => fetch(url, { mode: "no-cors" }).then(text),
        "fetch-header": () => fetch(url, { headers: { "X-Custom": "1" } }).then(text),
        "fetch-credentials": () => fetch(url, { credentials: "include" }).then(text),
        "fetch-authorization": () => fetch(url, { headers: { Authorization: "Basic dUBBQ01FOnA=" } }).then(text),
        "fetch-put": () => fetch(url, { method: "PUT", body: "x" }).then(text),
        "fetch-delete": () => fetch(url, { method: "DELETE" }).then(text),
        "fetch-json": () => fetch(url, { method: "POST", body: "{}",
            headers: { "Content-Type": "application/json" } }).then(text),
        "fetch-plain": () => fetch(url, { method: "POST", body: "x", mode: "no-cors",
            headers: { "Content-Type": "text/plain" } }).then(text),
        "fetch-keepalive": () => fetch(url, { method: "POST", body: "x", mode: "no-cors", keepalive: true }).then(text),
        "fetch-head": () => fetch(url, { method: "HEAD", mode: "no-cors" }).then(text),
        "fetch-no-referrer": () => fetch(url, { mode: "no-cors", referrerPolicy: "no-referrer" }).then(text),
        "xhr-get": () => new Promise((done) => {
            const x = new XMLHttpRequest();
            x.onloadend = () => done(x.responseText || null);
            x.open("GET", url);
            x.send();
        }),
        "xhr-post": () => new Promise((done) => {
            const x = new XMLHttpRequest();
            x.onloadend = () => done(x.responseText || null);
            x.open("POST", url);
            x.withCredentials = true;
            x.send("x");
        }),
        "form-get": () => form({ method: "GET" }),
        "form-post": () => form({ method: "POST" }),
        "form-multipart": () => form({ method: "POST", enctype: "multipart/form-data" }),
        "form-plain": () => form({ method: "POST", enctype: "text/plain" }),
        "image": () => add("img", { src: url }),
        "image-crossorigin": () => add("img", { crossOrigin: "anonymous", src: url }),
        "script": () => add("script", { src: url }),
        "module": () => add("script", { type: "module", src: url }),
        "style": () => add("link", { rel: "stylesheet", href: url }),
        "prefetch": () => (add("link", { rel: "prefetch", href: url }), null),
        "preload": () => (add("link", { rel: "preload", as: "fetch", href: url }), null),
        "icon-like-background": () => (document.body.style.background = `url(${url})`, null),
        "iframe": () => add("iframe", { src: url }, inside),
        "iframe-sandbox": () => add("iframe", { sandbox: "allow-scripts", src: url }, inside),
        "object": () => add("object", { data: url }, inside),
        "embed": () => (add("embed", { src: url }), null),
        "video": () => add("video", { src: url }),
        "beacon": () => (navigator.sendBeacon(url, "x"), null),
        "ping": () => {
            const a = Object.assign(document.createElement("a"), { href: "#", ping: url });
            document.body.append(a);
            a.click();
            return null;
        },
        "websocket": () => new Promise((done) => {
            const socket = new WebSocket(url.replace("http", "ws"));
            socket.onopen = () => done("open");
            socket.onerror = () => done(null);
        }),
        "eventsource": () => new Promise((done) => {
            const source = new EventSource(url);
            source.onopen = () => done("open");
            source.onerror = () => (source.close(), done(null));
        }),
        "worker-fetch": () => worker("fetch(url).then((a) => a.text()).then(done, () => done(null))"),
        "worker-import": () => worker("try { importScripts(url); done('ran') } catch { done(null) }"),
        "worker-no-cors": () => worker("fetch(url, {mode: 'no-cors', method: 'POST', body: 'x'}).then((a) => a.text())"
            + ".then((t) => done(t || null), () => done(null))"),
    };
    if (way === null) return Object.keys(ways);
    return patience(Promise.resolve().then(ways[way]).catch(() => null));
}

// Top-level navigations that a page causes.
const navigations = {
    "navigate-location": (url) => (location = url),
    "navigate-too-long": (url) => (location = url + "?" + "a".repeat(20000)),
    "navigate-link": (url) => Object.assign(document.createElement("a"), { href: url }).click(),
    "navigate-no-referrer": (url) =>
        Object.assign(document.createElement("a"), { href: url, referrerPolicy: "no-referrer" }).click(),
    "navigate-form": (url) => {
        const form = Object.assign(document.createElement("form"), { action: url });
        document.body.append(form);
        form.submit();
    },
    "navigate-form-post": (url) => {
        const form = Object.assign(document.createElement("form"), { action: url, method: "POST" });
        document.body.append(form);
        form.submit();
    },
    "navigate-form-blank": (url) => {
        const form = document.createElement("form");
        Object.assign(form, { action: url, method: "POST", target: "_blank" });
        document.body.append(form);
        form.submit();
    },
    "navigate-open": (url) => void open(url),
    "navigate-open-noopener": (url) => void open(url, "_blank", "noopener"),
    "navigate-refresh": (url) => {
        const meta = document.createElement("meta");
        document.head.append(Object.assign(meta, { httpEquiv: "refresh", content: `0;url=${url}` }));
    },
};

// What guards local addresses in the browser itself is off: the proxy has to suffice.
const settings = {
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--no-proxy-server", "--disable-popup-blocking", "--disable-gpu", "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP *.test 127.0.0.1",
        "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWarn,BlockInsecurePrivateNetworkRequests"],
};

// Calls use(context) in a browser of its own, for popups that pile up keep a browser from opening more.
async function browse(use) {
    const browser = await chromium.launch(settings);
    try {
        await use(await browser.newContext());
    } finally {
        await browser.close();
    }
}

const called = [], read = [], statuses = {};

async function tryAll(context, from, base) {
    const page = await context.newPage();
    await page.goto(from);
    await Promise.all((await page.evaluate(attempt, [null, "", 0])).map(async (way) => {
        const path = `/${new URL(from).host}/${new URL(base).host}/${way}`;
        called.push(path);
        const limit = limitOf(way);
        // The page's own may have stopped.
        const patience = new Promise((done) => setTimeout(done, limit + 1000, null).unref());
        const tried = page.evaluate(attempt, [way, base + path, limit]).catch(() => null);
        const got = await Promise.race([tried, patience]);
        if (got !== null && got !== undefined) read.push([path, String(got)]);
    }));
    await page.close();
}

// One after another, in one page: Chromium may stop to open new ones behind a navigation within a site.
async function navigateAll(context, from, base) {
    const page = await context.newPage();
    for (const [way, go] of Object.entries(navigations)) {
        await page.goto(from);
        const path = `/${new URL(from).host}/${new URL(base).host}/${way}`;
        called.push(path);
        const answered = context.waitForEvent("response", (answer) => new URL(answer.url()).pathname === path);
        await page.evaluate(go, base + path).catch(() => null); // the page may be gone before it is told
        statuses[path] = (await answered).status();
        if (!/open|blank/.test(way)) await page.waitForURL((url) => url.pathname === path);
    }
}

for (const from of foreign)
    await browse(async (context) => {
        await Promise.all(targets.map((base) => tryAll(context, from, base)));
    });
for (const from of foreign) await browse((context) => navigateAll(context, from, targets[0]));
await browse(async (context) => {
    const page = await context.newPage();
    for (const url of [...rebound, ...own]) statuses[url] = (await page.goto(url)).status();
    const base = new URL(own.at(-1)).origin;
    const ownRead = [];
    for (const way of ["fetch", "xhr-post"])
        ownRead.push(await page.evaluate(attempt, [way, `${base}/own/${way}`, limitOf(way)]));
    console.log(JSON.stringify({ called, read, statuses, own: ownRead }));
});
