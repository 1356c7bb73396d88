/**
 * A line of NumPy split into matrices and the text between them.
 * Owns: reading of expressions. The joined pieces equal the expression. Pure.
 */

const TOKENS = /(np\.\w+|\.\w+|[A-Za-z_]\w*|\d[\d.]*(?:e[-+]?\d+)?|\*\*|[=!<>]=|\S)(\s*)/g;
const NAME = /^[A-Za-z_]\w*$/;

export interface Piece {
  text: string; // as in the expression
  name?: string; // the matrix to draw; pieces without it are text
  turned?: boolean; // transposed: `a1.T`
  above?: number; // 1 where it is above this number, else 0: `(z2 > 0)`
}

const tokensOf = (expression: string) =>
  [...expression.matchAll(TOKENS)].map(([, text, space]) => ({ text, space }));

/** True for a value; `axis` in `axis=0` names an argument. */
const isValue = (tokens: { text: string }[], k: number) =>
  NAME.test(tokens[k]?.text ?? "") &&
  tokens[k + 1]?.text !== "=" &&
  tokens[k + 1]?.text !== "(" &&
  tokens[k].text !== "True";

/** The names whose values an expression uses. */
export function namesIn(expression: string) {
  const tokens = tokensOf(expression);
  return new Set(tokens.flatMap(({ text }, k) => (isValue(tokens, k) ? [text] : [])));
}

/** True at the start of `(z2 > 0)`. */
const isComparison = (tokens: { text: string }[], k: number) =>
  tokens[k].text === "(" &&
  isValue(tokens, k + 1) &&
  tokens[k + 2]?.text === ">" &&
  /^\d/.test(tokens[k + 3]?.text ?? "") &&
  tokens[k + 4]?.text === ")";

/** The piece that begins at a token, and its number of tokens. */
function pieceAt(tokens: { text: string; space: string }[], k: number): [Piece, number] {
  const joined = (count: number) =>
    tokens
      .slice(k, k + count)
      .map(({ text, space }) => text + space)
      .join("");
  if (isComparison(tokens, k))
    return [{ text: joined(5), name: tokens[k + 1].text, above: Number(tokens[k + 3].text) }, 5];
  if (!isValue(tokens, k)) return [{ text: joined(1) }, 1];
  const turned = tokens[k + 1]?.text === ".T";
  return [
    { text: joined(turned ? 2 : 1), name: tokens[k].text, ...(turned ? { turned } : {}) },
    turned ? 2 : 1,
  ];
}

/** Splits an expression; neighbouring text is one piece. */
export function piecesOf(expression: string): Piece[] {
  const tokens = tokensOf(expression);
  const pieces: Piece[] = [];
  for (let k = 0; k < tokens.length; ) {
    const [piece, count] = pieceAt(tokens, k);
    const last = pieces.at(-1);
    if (last && last.name === undefined && piece.name === undefined) last.text += piece.text;
    else pieces.push(piece);
    k += count;
  }
  return pieces;
}

/** A line that changes its own name is written short: `W2 -= lr * dW2`. */
export function lineText({ name, expression }: { name: string; expression: string }) {
  const own = `${name} - `;
  return expression.startsWith(own)
    ? `${name} -= ${expression.slice(own.length)}`
    : `${name} = ${expression}`;
}

/** In a list only the differing parts have room. */
export const briefText = (line: { name: string; expression: string }) =>
  lineText(line).replaceAll("np.", "").replaceAll(", keepdims=True", "");
