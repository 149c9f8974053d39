// What a viewer may choose while a title plays, read from Shaka's tracks: `{id, label, active, …}` each.

import { languageName, pictureSize } from "/web/js/format.js";

const AUDIO_ROLES = { description: "audio description", commentary: "commentary", dub: "dubbed" };
const CHANNELS = { 6: "5.1", 8: "7.1" };

export function audioChoices(player) {
  return player.getAudioTracks().map((track) => ({ ...named(track, audioLabel(track)), track }));
}

export function textChoices(player) {
  const tracks = player.getTextTracks().filter((track) => !track.forced);
  const choices = tracks.map((track) => ({ ...named(track, textLabel(track)), track }));
  return choices.length
    ? [{ id: "off", label: "Off", active: !tracks.some(({ active }) => active), track: null }, ...choices]
    : [];
}

/** Rungs from the best down, one of each height, after `Auto`. */
export function qualityChoices(player) {
  const auto = player.getConfiguration().abr.enabled;
  const rungs = new Map();
  for (const track of player.getVideoTracks().sort((a, b) => b.height - a.height || b.bandwidth - a.bandwidth)) {
    if (track.height && !rungs.has(track.height)) rungs.set(track.height, track);
  }
  const active =
    [...rungs.values()].find((track) => track.active) ?? player.getVideoTracks().find((track) => track.active);
  const now = active?.height ? ` · ${pictureSize(active.width, active.height)}` : "";
  const choices = [...rungs.values()].map((track) => ({
    id: String(track.height),
    label: pictureSize(track.width, track.height),
    active: !auto && track.active,
    track,
  }));
  return choices.length ? [{ id: "auto", label: `Auto${auto ? now : ""}`, active: auto, track: null }, ...choices] : [];
}

/** The choice that fits what was preferred before: same language and role, then same language. */
export function fitting(choices, wanted) {
  const language = wanted?.split("/")[0];
  return choices.find(({ id }) => id === wanted) ?? choices.find(({ id }) => id.split("/")[0] === language) ?? null;
}

function named(track, label) {
  return { id: `${track.language}/${track.roles.join("+")}`, label, active: track.active };
}

function audioLabel(track) {
  const role = track.roles.map((name) => AUDIO_ROLES[name]).find(Boolean);
  const described = track.accessibilityPurpose === "visually impaired" ? AUDIO_ROLES.description : role;
  return join(languageName(track.language), described, CHANNELS[track.channelsCount]);
}

function textLabel(track) {
  const caption = track.kind === "caption" || track.roles.includes("caption");
  return join(languageName(track.language), caption && "captions");
}

function join(name, ...more) {
  const facts = more.filter(Boolean);
  return facts.length ? `${name} (${facts.join(", ")})` : name;
}
