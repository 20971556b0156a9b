// Addresses of this page, and of what is not one.

/** The address of a company of a job; with an owner, of its chains. */
export function companyHash(job, company, owner) {
  const path = `#/jobs/${job}/companies/${encodeURIComponent(company)}`;
  return owner ? `${path}?${new URLSearchParams({ owner })}` : path;
}

/** Whether a name stands for a ring that nobody outside holds a share of. Such a group has no rows of its own. */
export const isGroup = (name) => name.startsWith("closed-group:");

/** What a company or person is called, where the input says so; its id elsewhere. */
export const label = (names, id) => names?.[id]?.name || id;
