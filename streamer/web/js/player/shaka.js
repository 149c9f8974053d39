// Shaka Player, brought in when something is played for the first time.

const SCRIPT = "/web/vendor/shaka-player.js";

let arriving = null;

/** The `shaka` namespace. Rejects with a TypeError when the script cannot be had. */
export function shaka() {
  arriving ??= bring().catch((error) => {
    arriving = null;
    throw error;
  });
  return arriving;
}

function bring() {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = SCRIPT;
    script.onload = () => {
      window.shaka.polyfill.installAll();
      resolve(window.shaka);
    };
    script.onerror = () => reject(new TypeError("the player did not arrive"));
    document.head.append(script);
  });
}
