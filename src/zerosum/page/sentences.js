// Words of a sentence and their numbers, as zerosum.data.sentences reads them.

/** A character without capitals, as Python's str.casefold: Unicode folds Cherokee to capitals, and leaves the dotless i. */
function folded(character) {
  if (character === "\u0131") return character;
  if (/\p{Script=Cherokee}/u.test(character)) return character.toUpperCase();
  return [...character.toLowerCase().toUpperCase()].map((one) => one.toLowerCase()).join("");
}

/** {numbers, unknown}: numbers of the words of a text that the vocabulary has, and the other words, each once. */
function readWords({ vocabulary, most }, text) {
  const number = new Map(vocabulary.map((word, place) => [word, place + 1]));
  const plain = [...text.normalize("NFC")].map(folded).join("");
  const found = plain.match(/[\p{L}\p{N}]+(?:['\u2019][\p{L}\p{N}]+)*/gu) ?? [];
  const numbers = found.filter((word) => number.has(word)).map((word) => number.get(word)).slice(0, most);
  return { numbers, unknown: [...new Set(found.filter((word) => !number.has(word)))] };
}
