/** Between the parts of a category's path, as in the product taxonomies of the large marketplaces. */
export const separator = ' > ';

/** One spelling for a path: parts trimmed, empty ones left out. */
export function normalCategory(path: string): string {
  return path
    .split('>')
    .map(part => part.trim())
    .filter(Boolean)
    .join(separator);
}

/** The path itself and all that it lies in, from the root: `A`, `A > B`. */
export function categoryChain(path: string | null): string[] {
  if (path === null) return [];
  const parts = path.split(separator);
  return parts.map((_, at) => parts.slice(0, at + 1).join(separator));
}

export interface CategoryCount {
  category: string;
  count: number;
}

/** A category among the others, with all products in and under it counted. */
export interface CategoryNode extends CategoryCount {
  /** Last part of the path. */
  name: string;
  /** The way from the root, this one included. */
  breadcrumbs: { category: string; name: string }[];
  children: CategoryNode[];
}

const nameOf = (category: string) => category.split(separator).at(-1) ?? category;

/** Arranges categories as a tree; those that only have products further down are added. Sorted by name. */
export function categoryTree(counts: readonly CategoryCount[]): CategoryNode[] {
  const nodes = new Map<string, CategoryNode>();
  const roots: CategoryNode[] = [];
  const nodeOf = (category: string): CategoryNode => {
    const known = nodes.get(category);
    if (known) return known;
    const chain = categoryChain(category);
    const breadcrumbs = chain.map(one => ({ category: one, name: nameOf(one) }));
    const node = { category, name: nameOf(category), count: 0, breadcrumbs, children: [] };
    nodes.set(category, node);
    const parent = chain.at(-2);
    (parent === undefined ? roots : nodeOf(parent).children).push(node);
    return node;
  };
  for (const { category, count } of counts) for (const one of categoryChain(category)) nodeOf(one).count += count;
  const byName = (a: CategoryNode, b: CategoryNode) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  for (const node of nodes.values()) node.children.sort(byName);
  return roots.sort(byName);
}
