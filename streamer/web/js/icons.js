// The icons, brought into the page once: a sprite that is asked for icon by icon is gone when the connection is.

const SPRITE = "/web/icons.svg";

export async function bringIcons() {
  const response = await fetch(SPRITE);
  const sprite = new DOMParser().parseFromString(await response.text(), "image/svg+xml").documentElement;
  sprite.setAttribute("hidden", "");
  document.body.prepend(document.importNode(sprite, true));
}
