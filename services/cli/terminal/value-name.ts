/**
 * The name of an enum's value, such as "ACTIVE". Of a value that a newer platform says and this build does not know there is
 * only its number, such as "9".
 * @param names the enum, as it is generated
 */
export function valueName(names: Readonly<Record<number, string>>, value: number): string {
  return names[value] ?? String(value);
}
