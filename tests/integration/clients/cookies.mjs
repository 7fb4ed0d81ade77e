// node cookies.mjs: reads {url, set: [Set-Cookie values]} from stdin; goes to url, which is asked to set them (X-Set), and
// then to /again without. In the environment: MODULES, the folder of playwright-core.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const { chromium } = createRequire(process.env.MODULES + "/")("playwright-core");
const { url, set } = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--no-proxy-server", "--disable-gpu", "--disable-dev-shm-usage"] });
const page = await browser.newPage();
for (const value of set) {
    await page.setExtraHTTPHeaders({ "X-Set": value });
    await page.goto(url);
}
await page.setExtraHTTPHeaders({});
await page.goto(url + "again");
await browser.close();
