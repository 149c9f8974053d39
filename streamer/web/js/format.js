// Numbers as people read them.

const DISPLAY = { type: "language", languageDisplay: "standard" };

/** A place in a film: `4:05`, `1:02:09`. */
export function clock(seconds) {
  // Players round: a title of 30 s ends at 29.999999.
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds + 0.001 : 0));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A running time: `1 h 31 min`, `3 min 20 s`, `8 s`. */
export function runningTime(seconds) {
  if (!Number.isFinite(seconds) || seconds <= 0) return "";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 600) return [`${Math.floor(whole / 60)} min`, whole % 60 ? `${whole % 60} s` : ""].join(" ").trim();
  const minutes = Math.round(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A time in words, for screen readers: `1 minute 5 seconds`. */
export function spokenTime(seconds) {
  const whole = Math.max(0, Math.round(seconds || 0));
  const units = [
    ["hour", Math.floor(whole / 3600)],
    ["minute", Math.floor(whole / 60) % 60],
    ["second", whole % 60],
  ];
  const words = units.filter(([, count]) => count).map(([unit, count]) => `${count} ${unit}${count === 1 ? "" : "s"}`);
  return words.join(" ") || "0 seconds";
}

/** How long something will still take: `about 3 minutes left`. */
export function timeLeft(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 5) return "a few seconds left";
  if (seconds < 60) return `${Math.ceil(seconds / 5) * 5} seconds left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `about ${minutes} minute${minutes === 1 ? "" : "s"} left`;
  return `about ${Math.round(minutes / 60)} hours left`;
}

/** A size: `12.4 MB`. */
export function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = bytes > 0 ? Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3)) : 0;
  const value = bytes / 1000 ** step;
  return `${value.toFixed(step > 1 && value < 100 ? 1 : 0)} ${units[step]}`;
}

/** A language's name, written in the page's language: `German`. */
export function languageName(tag) {
  if (!tag || tag === "und") return "Unknown language";
  try {
    return new Intl.DisplayNames(["en"], DISPLAY).of(tag);
  } catch {
    return tag;
  }
}

/** The name of a picture size by the 16:9 picture it fits in, so that a wide 1920x800 is `1080p`. */
export function pictureSize(width, height) {
  const lines = Math.max(height || 0, Math.round(((width || 0) * 9) / 16));
  return lines >= 2160 ? "4K" : `${lines}p`;
}
