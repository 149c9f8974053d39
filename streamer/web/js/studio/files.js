// What a heap of dropped files means: originals, each with the subtitle files that belong to it.

const SUBTITLES = /\.(srt|vtt|ass|ssa)$/i;
const MUSIC = /\.(mp3|flac|ogg|oga|opus|wav|m4a|aac)$/i;

/** `{originals: [{file, sidecars}], homeless: [file]}`; homeless are subtitles without their film. */
export function sortFiles(files) {
  const originals = files.filter(({ name }) => !SUBTITLES.test(name)).map((file) => ({ file, sidecars: [] }));
  const homeless = [];
  for (const file of files.filter(({ name }) => SUBTITLES.test(name))) {
    const home = homeOf(file, originals);
    if (home) home.sidecars.push(file);
    else homeless.push(file);
  }
  return { originals, homeless };
}

/** `film.en.srt` belongs to `film.mkv`; to the only film there is it belongs by any name. */
function homeOf(file, originals) {
  const films = originals.filter((original) => kindOf(original.file) === "film");
  const named = films.filter((film) => file.name.startsWith(stem(film.file.name)));
  const longest = named.sort((a, b) => b.file.name.length - a.file.name.length)[0];
  return longest ?? (films.length === 1 ? films[0] : null);
}

export function kindOf(file) {
  return MUSIC.test(file.name) || file.type.startsWith("audio/") ? "song" : "film";
}

/** A name for people: `my_first.film.mkv` is “my first film”. */
export function nameOf(file) {
  return stem(file.name).replace(/[._]+/g, " ").trim() || file.name;
}

/** By what a file is known again when the page was loaded anew. */
export function fingerprint(file) {
  return `${file.name}/${file.size}/${file.lastModified}`;
}

function stem(name) {
  return name.replace(/\.[^.]{1,5}$/, "");
}
