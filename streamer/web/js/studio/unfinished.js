// Uploads that are under way, kept in this browser so that a reload loses none of them.

/** The memory of one member, by fingerprint of the file: `{title_id, url, name, publish}`. */
export function unfinishedOf(memberId) {
  const key = `marquee.uploads.${memberId}`;
  const read = () => JSON.parse(localStorage.getItem(key) ?? "{}");
  const write = (all) => localStorage.setItem(key, JSON.stringify(all));
  return {
    get: (print) => read()[print] ?? null,
    set: (print, entry) => write({ ...read(), [print]: { ...read()[print], ...entry } }),
    forget: (print) => {
      const { [print]: _gone, ...rest } = read();
      write(rest);
    },
    /** The unfinished upload of a title, with its fingerprint; null when there is none. */
    ofTitle: (title_id) => {
      const found = Object.entries(read()).find(([, entry]) => entry.title_id === title_id);
      return found ? { print: found[0], ...found[1] } : null;
    },
  };
}
