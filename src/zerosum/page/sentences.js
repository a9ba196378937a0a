// Words of a sentence and their numbers, as zerosum.data.sentences reads them.

/** A character without capitals, as Python's str.casefold: Unicode folds Cherokee to capitals, and leaves the dotless i. */
function folded(character) {
  if (character === "\u0131") return character;
  if (/\p{Script=Cherokee}/u.test(character)) return character.toUpperCase();
  return [...character.toLowerCase().toUpperCase()].map((one) => one.toLowerCase()).join("");
}

/** Characters of Chinese and Japanese, which are written without blanks, are a word each. */
const UNSPACED = "\\u3041-\\u3096\\u309d-\\u309f\\u30a1-\\u30fa\\u30fc-\\u30ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\uff66-\\uff9f";
const LETTERS = `(?:(?![${UNSPACED}])[\\p{L}\\p{N}])+`;
const WORD = new RegExp(`[${UNSPACED}]|${LETTERS}(?:['\\u2019]${LETTERS})*`, "gu");

/** {numbers, unknown}: numbers of the words of a text that the vocabulary has, and the other words, each once. */
function readWords({ vocabulary, most }, text) {
  const number = new Map(vocabulary.map((word, place) => [word, place + 1]));
  const plain = [...text.normalize("NFC")].map(folded).join("");
  const found = plain.match(WORD) ?? [];
  const numbers = found.filter((word) => number.has(word)).map((word) => number.get(word)).slice(0, most);
  return { numbers, unknown: [...new Set(found.filter((word) => !number.has(word)))] };
}
