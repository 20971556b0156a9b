// Numbers, times and states in words.

const whole = new Intl.NumberFormat("en");
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

export const count = (number) => whole.format(number);

/** "1 company", "2 companies". */
export function several(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** A share as a percentage with three significant digits or more. */
export function percent(share) {
  if (share === null || share === undefined) return "–";
  const value = share * 100;
  if (value !== 0 && Math.abs(value) < 0.001) return "< 0.001 %";
  const digits = Math.abs(value) >= 10 ? 2 : 3;
  return `${Number(value.toFixed(digits))} %`;
}

/** A number of no special unit. */
export function figure(number) {
  if (number === null || number === undefined) return "–";
  if (Number.isInteger(number)) return count(number);
  const size = Math.abs(number);
  return size >= 1e-3 && size < 1e9 ? new Intl.NumberFormat("en", { maximumSignificantDigits: 6 }).format(number)
    : number.toExponential(2);
}

export function bytes(size) {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) { size /= 1000; unit += 1; }
  return `${unit === 0 ? size : size.toFixed(size < 10 ? 1 : 0)} ${units[unit]}`;
}

export const when = (text) => (text ? moment.format(new Date(text)) : "–");

/** How long it was from one moment to another. */
export function took(from, to) {
  if (!from || !to) return "–";
  const seconds = (new Date(to) - new Date(from)) / 1000;
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const STATES = {
  PENDING: "Waiting",
  PROGRESS: "Running",
  SUCCESS: "Done",
  FAILURE: "Failed",
  REVOKED: "Revoked",
};

export const state = (status) => STATES[status] ?? status;
export const hasEnded = (status) => ["SUCCESS", "FAILURE", "REVOKED"].includes(status);

/** A name such as `network-control` or `columns_over_100` as words. */
export function plain(name) {
  const text = name.replaceAll(/[-_]/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A fragment as a sentence. */
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** At most so many letters. */
export const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
