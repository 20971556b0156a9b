// Where the companies of a picture stand: a company at the right, its holders in columns to the left of it.
//
// Plain data in, plain data out; nothing here touches the page.

/** The most companies that are drawn; the others are folded into one sign for each that they hold. */
export const MOST = 50;

const key = (owner, owned) => `${owner}\n${owned}`;

/** By the largest product of stakes that leads to the company: the larger, the more it matters. */
function weigh(company, stakes) {
  const holders = new Map();
  for (const stake of stakes) {
    if (!holders.has(stake.owned)) holders.set(stake.owned, []);
    holders.get(stake.owned).push(stake);
  }
  const weights = new Map();
  const open = new Map([[company, 1]]);
  while (open.size > 0) {
    let best = null;
    for (const entry of open) if (best === null || entry[1] > best[1]) best = entry;
    const [name, weight] = best;
    open.delete(name);
    weights.set(name, weight);
    for (const { owner, share } of holders.get(name) ?? []) {
      const product = weight * Math.min(share, 1);
      if (!weights.has(owner) && product > (open.get(owner) ?? -1)) open.set(owner, product);
    }
  }
  return weights;
}

/** Of the holders of one company whom nobody is known to hold, at most so many are drawn. */
const MOST_LEAVES = 8;

/** Chooses who is drawn. Whoever stands on a chain that was asked for is, whatever it weighs. */
function choose(company, stakes, must, most) {
  const weights = weigh(company, stakes);
  const held = new Set(stakes.map((stake) => stake.owned));
  const leaves = new Map();
  const fits = (name) => {
    if (must.has(name) || held.has(name)) return true;
    const owned = stakes.filter((stake) => stake.owner === name && kept.has(stake.owned)).map((stake) => stake.owned);
    if (owned.every((one) => (leaves.get(one) ?? 0) >= MOST_LEAVES)) return false;
    for (const one of owned) leaves.set(one, (leaves.get(one) ?? 0) + 1);
    return true;
  };
  const order = [...weights.keys()].sort((a, b) => must.has(b) - must.has(a) || weights.get(b) - weights.get(a));
  const kept = new Set([company]);
  // A holder without the one that it holds would hang in the air, so those nearer come first.
  let grown = true;
  while (grown && kept.size < most) {
    grown = false;
    for (const name of order) {
      if (kept.size >= most || kept.has(name)) continue;
      if (stakes.some((stake) => stake.owner === name && kept.has(stake.owned)) && fits(name)) { kept.add(name); grown = true; }
    }
  }
  return kept;
}

/** How many stakes away from the company, along the longest way that does not come back. */
function columns(company, kept, stakes) {
  const holders = new Map([...kept].map((name) => [name, []]));
  for (const { owner, owned } of stakes) holders.get(owned).push(owner);
  const state = new Map();
  const back = new Set();
  const order = [];
  const visit = [[company, 0]];
  state.set(company, "open");
  while (visit.length > 0) {
    const top = visit[visit.length - 1];
    const next = holders.get(top[0])[top[1]];
    top[1] += 1;
    if (next === undefined) {
      state.set(top[0], "done");
      order.push(top[0]);
      visit.pop();
    } else if (state.get(next) === "open") {
      back.add(key(next, top[0]));
    } else if (!state.has(next)) {
      state.set(next, "open");
      visit.push([next, 0]);
    }
  }
  const column = new Map([[company, 0]]);
  for (const name of order.reverse()) {
    for (const owner of holders.get(name)) {
      if (back.has(key(owner, name))) continue;
      column.set(owner, Math.max(column.get(owner) ?? 0, (column.get(name) ?? 0) + 1));
    }
  }
  return { column, back };
}

/** Orders each column by where the neighbours stand, a few times, so that few lines cross. */
function arrange(nodes, edges) {
  const byColumn = [];
  for (const node of nodes) (byColumn[node.column] ??= []).push(node);
  const place = () => byColumn.forEach((column) => column.forEach((node, at) => { node.at = at - (column.length - 1) / 2; }));
  const near = new Map(nodes.map((node) => [node, []]));
  for (const { from, to } of edges) { near.get(from).push(to); near.get(to).push(from); }
  place();
  for (let turn = 0; turn < 6; turn += 1) {
    for (const column of turn % 2 === 0 ? byColumn : [...byColumn].reverse()) {
      for (const node of column) {
        const others = near.get(node).filter((other) => other.column !== node.column);
        node.wish = others.length === 0 ? node.at : others.reduce((sum, other) => sum + other.at, 0) / others.length;
      }
      column.sort((a, b) => a.wish - b.wish || b.weight - a.weight);
      place();
    }
  }
  return byColumn;
}

/**
 * Lays out `stakes` above `company`. Gives columns of nodes `{name, column, at, folded, share}` and edges
 * `{from, to, share, back}`, where `back` closes a ring.
 */
export function layers(company, stakes, { unlisted = [], must = new Set(), most = MOST } = {}) {
  const kept = choose(company, stakes, must, most);
  const weights = weigh(company, stakes);
  const drawn = stakes.filter((stake) => kept.has(stake.owner) && kept.has(stake.owned));
  const { column, back } = columns(company, kept, drawn);
  const nodes = new Map([...kept].map((name) => [name, { name, column: column.get(name) ?? 0, folded: 0, share: null, weight: weights.get(name) ?? 0 }]));
  const edges = drawn.map(({ owner, owned, share }) => ({ from: nodes.get(owner), to: nodes.get(owned), share, back: back.has(key(owner, owned)) }));
  const folds = new Map();
  const fold = (owned, holders, share) => {
    const one = folds.get(owned) ?? { holders: 0, share: 0 };
    folds.set(owned, { holders: one.holders + holders, share: one.share + share });
  };
  for (const stake of stakes) if (kept.has(stake.owned) && !kept.has(stake.owner)) fold(stake.owned, 1, stake.share);
  for (const one of unlisted) if (kept.has(one.owned)) fold(one.owned, one.holders, one.share);
  const all = [...nodes.values()];
  for (const [owned, { holders, share }] of folds) {
    const to = nodes.get(owned);
    const node = { name: null, of: owned, column: to.column + 1, folded: holders, share, weight: -1 };
    all.push(node);
    edges.push({ from: node, to, share, back: false });
  }
  return { columns: arrange(all, edges), edges };
}
