// node page.js fetch|axios URL: follows __next; prints each row's key.
// In the environment: PROXY, CA (a file), BASIC (USER:PASSWORD).
const fs = require("fs");
const [how, start] = process.argv.slice(2);
const { PROXY, CA, BASIC } = process.env;
const headers = BASIC ? { Authorization: "Basic " + Buffer.from(BASIC).toString("base64") } : {};

async function withFetch(url) {
    const undici = require("undici");
    const tls = CA ? { ca: fs.readFileSync(CA) } : {};
    const dispatcher = PROXY ? new undici.ProxyAgent({ uri: PROXY, requestTls: tls }) : undefined;
    const answer = await undici.fetch(url, { headers, dispatcher });
    if (!answer.ok) throw new Error(answer.status + " " + (await answer.text()));
    return answer.json();
}

async function withAxios(url) {
    const axios = require("axios");
    const proxy = PROXY ? { protocol: "http", host: new URL(PROXY).hostname, port: new URL(PROXY).port } : false;
    return (await axios.get(url, { headers, proxy })).data;
}

(async () => {
    const get = how === "fetch" ? withFetch : withAxios;
    for (let url = start; url; ) {
        const page = await get(url);
        const rows = page.d ? page.d.results.map((row) => row.userId) : page.Resources.map((row) => row.id);
        console.log(rows.join("\n"));
        const more = page.nextId && page.nextId !== "end";
        url = page.d ? page.d.__next : more ? start.split("?")[0] + "?count=100&startId=" + page.nextId : null;
    }
})().catch((e) => {
    console.error(e);
    process.exit(1);
});
