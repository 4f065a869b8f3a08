// Texts in the language of the page, which brings those that differ from the English ones in the scripts.

const TEXTS = JSON.parse(document.getElementById('texts').textContent);

export function _(id, english, values = {}) {
  const text = TEXTS[id] ?? english;
  return text.replaceAll(/\$\{([A-Za-z]\w*)\}/g, (found, name) => values[name] ?? found);
}
