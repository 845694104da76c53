const HOSTS = ["t.me", "telegram.me", "telegram.dog"];
const PAYLOAD = /^[A-Za-z0-9_-]{1,64}$/;

function parse(address) {
  const withScheme = /^[a-z][a-z0-9+.-]*:/i.test(address) ? address : `https://${address}`;
  try {
    return new URL(withScheme);
  } catch {
    return null;
  }
}

function toStart(username, payload, botName) {
  if (username.toLowerCase() !== botName.toLowerCase()) return null;
  if (payload === null) return { kind: "chat" };
  return PAYLOAD.test(payload) ? { kind: "start", payload } : { kind: "chat" };
}

/**
 * What tapping an address does in Telegram:
 * {kind: "start", payload} or {kind: "chat"} for our bot, {kind: "share", text} for a share link, {kind: "web", href}, or null.
 */
export function readLink(address, botName) {
  const url = parse(address.trim());
  if (url === null) return null;
  if (url.protocol === "tg:") {
    const what = url.host || url.pathname.replaceAll("/", "");
    if (what === "resolve") return toStart(url.searchParams.get("domain") ?? "", url.searchParams.get("start"), botName);
    if (what === "msg" || what === "msg_url") return shared(url);
    return null;
  }
  if (["mailto:", "tel:"].includes(url.protocol)) return { kind: "web", href: url.href };
  if (!["http:", "https:"].includes(url.protocol)) return null;
  if (HOSTS.includes(url.hostname)) {
    const path = url.pathname.split("/").filter(Boolean);
    if (path[0] === "share") return shared(url);
    const ours = path.length === 1 ? toStart(path[0], url.searchParams.get("start"), botName) : null;
    if (ours !== null) return ours;
  }
  return { kind: "web", href: url.href };
}

function shared(url) {
  const parts = [url.searchParams.get("text"), url.searchParams.get("url")].filter(Boolean);
  return { kind: "share", text: parts.join("\n") };
}

/** The first of our bot's deep links in a pasted text, or null. */
export function findStart(text, botName) {
  for (const word of text.split(/\s+/)) {
    if (!/(^|\/\/|\.)(t\.me|telegram\.(me|dog))\/|^tg:/i.test(word)) continue;
    const link = readLink(word.replace(/[.,;:!?)\]}»”"']+$/, ""), botName);
    if (link?.kind === "start") return link;
  }
  return null;
}
