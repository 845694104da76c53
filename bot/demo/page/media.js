import { el, icon } from "./dom.js";

const UNITS = ["B", "KB", "MB", "GB"];

function size(bytes) {
  if (!Number.isFinite(bytes)) return "";
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1024)));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

function card(name, title, detail) {
  return el("div", { class: "card" }, el("span", { class: "card-icon" }, icon(name)), el("span", { class: "card-text" }, el("b", {}, title), el("small", {}, detail)));
}

const seconds = (value) => `${Math.floor((value ?? 0) / 60)}:${String((value ?? 0) % 60).padStart(2, "0")}`;

const KINDS = {
  photo: (photo, message, { onPhoto, open, onReveal }) => {
    if (!photo.url) return card("photo", "Photo", "A picture");
    const alt = message.caption ? `Picture: ${message.caption}` : "Picture";
    if (message.has_media_spoiler && !open) {
      const covered = el("img", { src: photo.url, alt: "", width: photo.width, height: photo.height });
      return el("button", { type: "button", class: "photo covered", "aria-label": "Covered picture. Show it", on: { click: onReveal } }, covered);
    }
    const image = el("img", { src: photo.url, alt, draggable: message.protected ? "false" : null, width: photo.width, height: photo.height });
    return el("button", { type: "button", class: "photo", "aria-label": `${alt}. Show it large`, on: { click: () => onPhoto(photo.url, alt) } }, image);
  },
  document: (file, message) => {
    const name = file.file_name ?? "file";
    const kind = name.includes(".") ? name.split(".").pop().slice(0, 4) : "";
    const inner = [
      el("span", { class: "card-icon" }, kind === "" ? icon("file") : el("span", { class: "kind" }, kind)),
      el("span", { class: "card-text" }, el("b", {}, name), el("small", {}, [size(file.size ?? file.file_size), message.protected ? "can’t be saved" : ""].filter(Boolean).join(", "))),
    ];
    if (!file.url || message.protected) return el("div", { class: "card" }, inner);
    return el("a", { class: "card", href: file.url, download: name, "aria-label": `Download ${name}` }, inner);
  },
  voice: (voice) => card("voice", "Voice message", seconds(voice.duration)),
  video: (video) => card("play", "Video", seconds(video.duration)),
  video_note: (video) => card("play", "Video message", seconds(video.duration)),
  animation: () => card("play", "GIF", "A moving picture"),
  audio: (audio) => card("voice", audio.title ?? "Audio", seconds(audio.duration)),
  sticker: (sticker) => el("div", { class: "sticker", role: "img", "aria-label": `Sticker ${sticker.emoji ?? ""}` }, sticker.emoji ?? icon("sticker", 96)),
  dice: (dice) => el("div", { class: "sticker", role: "img", "aria-label": `Dice ${dice.value ?? ""}` }, dice.emoji ?? "⚅"),
  location: (place) => el("div", { class: "map", role: "img", "aria-label": `A place on the map: ${place.latitude}, ${place.longitude}` }, icon("pin", 34), el("small", {}, `${coordinate(place.latitude, "N", "S")} ${coordinate(place.longitude, "E", "W")}`)),
  venue: (venue) => card("pin", venue.title ?? "A place", venue.address ?? ""),
  contact: (contact) => card("person", contact.first_name ?? "Contact", contact.phone_number ?? ""),
  poll: (poll) => el("div", { class: "poll" }, el("b", {}, poll.question ?? "Poll"), el("ul", {}, (poll.options ?? []).map((option) => el("li", {}, option.text ?? String(option))))),
};

const coordinate = (value, plus, minus) => `${Math.abs(Number(value)).toFixed(2)}° ${value < 0 ? minus : plus}`;

/** Draw what a message contains besides its text; null if it is only text. */
export function renderMedia(message, on) {
  for (const [kind, draw] of Object.entries(KINDS)) {
    if (message[kind]) return { kind, node: draw(message[kind], message, on) };
  }
  return null;
}

/** The same in a word or two, for a quote, an announcement or a message's name. */
export function nameOfMedia(message) {
  const names = { photo: "Picture", document: "File", voice: "Voice message", video: "Video", video_note: "Video message", animation: "GIF", audio: "Audio", sticker: "Sticker", dice: "Dice", location: "Location", venue: "Place", contact: "Contact", poll: "Poll" };
  const kind = Object.keys(names).find((name) => message[name]);
  if (kind === undefined) return "";
  const detail = kind === "document" ? message.document.file_name : kind === "poll" ? message.poll.question : undefined;
  return detail ? `${names[kind]} ${detail}` : names[kind];
}
