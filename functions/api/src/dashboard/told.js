// Chains of stakes as the column `chains` tells them in words. Plain data in, plain data out.
//
// `P > H1 > T 0.18; "A; B" > T 0.1; through cycles 0.002`: a name that has a separator or a quote is a JSON string.

const STEP = " > ";
const END = "; ";

/** A name and what follows it. */
function name(text) {
  const quoted = text.match(/^"(?:[^"\\]|\\.)*"/)?.[0];
  if (quoted !== undefined) {
    try {
      return { name: JSON.parse(quoted), rest: text.slice(quoted.length), quoted: true };
    } catch {
      // A name with quotes, of a result that an earlier version made.
    }
  }
  const ends = [text.indexOf(STEP), text.indexOf(END)].filter((at) => at >= 0);
  const end = Math.min(text.length, ...ends);
  return { name: text.slice(0, end), rest: text.slice(end), quoted: false };
}

/** The parts of a text: `names` from the owner down, or `words` if a part is no chain, and the `share` as a number. */
export function parts(text) {
  const found = [];
  let rest = text;
  while (rest !== "") {
    const names = [];
    let next = name(rest);
    while (next.rest.startsWith(STEP)) {
      names.push(next.name);
      next = name(next.rest.slice(STEP.length));
    }
    // The share is behind the last name, and within what was read of it if that is not quoted.
    const end = next.rest.indexOf(END);
    const behind = end < 0 ? next.rest : next.rest.slice(0, end);
    const last = next.quoted ? `${next.name}${behind}` : next.name;
    const at = last.lastIndexOf(" ");
    const share = Number(last.slice(at + 1));
    if (names.length > 0 || next.quoted) found.push({ names: [...names, last.slice(0, at)], words: "", share });
    else found.push({ names, words: last.slice(0, at), share });
    rest = end < 0 ? "" : next.rest.slice(end + END.length);
  }
  return found;
}
