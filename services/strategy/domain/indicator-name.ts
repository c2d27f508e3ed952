/** An indicator's name as it is kept and compared: lower case, '_' for '-' and blanks. */
export function normaliseIndicatorName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[-\s]+/g, '_');
}
