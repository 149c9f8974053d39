// Where this member stopped in each title, kept in this browser.

const KEPT_TITLES = 200;
const LEAST_S = 5;

/** The memory of one member. An entry is `{at_s, of_s, when_ms}`. */
export function positionsOf(memberId) {
  const key = `marquee.positions.${memberId}`;
  const read = () => JSON.parse(localStorage.getItem(key) ?? "{}");

  return {
    /** Where to go on; null when the title was not begun, or seen to its end. */
    get(titleId) {
      return read()[titleId] ?? null;
    },

    set(titleId, at_s, of_s) {
      const all = read();
      delete all[titleId];
      if (at_s >= LEAST_S && at_s < of_s - Math.max(LEAST_S, of_s * 0.02)) {
        all[titleId] = { at_s: Math.floor(at_s), of_s: Math.round(of_s), when_ms: Date.now() };
      }
      localStorage.setItem(key, JSON.stringify(newest(all)));
    },

    /** Ids of titles that were begun, the latest first. */
    recent() {
      return Object.entries(read())
        .sort(([, a], [, b]) => b.when_ms - a.when_ms)
        .map(([id]) => id);
    },
  };
}

function newest(all) {
  const entries = Object.entries(all).sort(([, a], [, b]) => b.when_ms - a.when_ms);
  return Object.fromEntries(entries.slice(0, KEPT_TITLES));
}
