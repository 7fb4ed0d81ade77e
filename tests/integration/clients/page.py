"""page.py [--proxy URL] [--ca FILE] [--basic USER:PASSWORD] URL: follows __next; prints each row's key."""
import argparse

import requests

parser = argparse.ArgumentParser()
parser.add_argument("--proxy")
parser.add_argument("--ca")
parser.add_argument("--basic")
parser.add_argument("url")
a = parser.parse_args()

session = requests.Session()
session.trust_env = False
if a.proxy:
    session.proxies = {"http": a.proxy, "https": a.proxy}
if a.ca:
    session.verify = a.ca
if a.basic:
    session.auth = tuple(a.basic.split(":", 1))
url = a.url
while url:
    answer = session.get(url)
    answer.raise_for_status()
    page = answer.json()
    if "d" in page:
        print("\n".join(row["userId"] for row in page["d"]["results"]))
        url = page["d"].get("__next")
    else:
        print("\n".join(row["id"] for row in page["Resources"]))
        url = None if page["nextId"] == "end" else a.url.split("?")[0] + f"?count=100&startId={page['nextId']}"
