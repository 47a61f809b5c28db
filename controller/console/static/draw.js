// Draws what the server tells: elements are made once and changed afterwards, so that a focus or a selection stays.

/** Returns a new element: `el("span", {class: "place"}, "1")`. A field of null or false is left out. */
export function el(tag, fields = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(fields)) set(made, name, value);
  made.append(...children);
  return made;
}

/** Gives an attribute a value; null and false take it away. */
export function set(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
}

/** Gives an element a text, when it has another. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Lets `parent` have one child for each item, in their order: `make(item)` returns a new one, `change(child, item)`
 * brings one up to date. Children are known by `data-key`.
 */
export function each(parent, items, keyOf, make, change) {
  const there = new Map(Array.from(parent.children, (child) => [child.dataset.key, child]));
  const keys = items.map(keyOf);
  const wanted = new Set(keys);
  // What is gone goes first, so that what stays is not moved: an element that is moved loses the focus.
  for (const [key, child] of there) if (!wanted.has(key)) child.remove();
  let at = parent.firstElementChild;
  items.forEach((item, nth) => {
    let child = there.get(keys[nth]);
    if (child === undefined) {
      child = make(item);
      child.dataset.key = keys[nth];
    }
    change(child, item);
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  });
}
