import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();

function notify(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) globalThis.addEventListener('popstate', notify);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) globalThis.removeEventListener('popstate', notify);
  };
}

/** Goes to another address of the console. */
export function navigate(to: string, how: { readonly replace?: boolean } = {}): void {
  if (how.replace === true) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  notify();
}

/** Path of the present address without slashes at its ends, as decoded parts. */
export function usePath(): readonly string[] {
  const path = useSyncExternalStore(subscribe, () => location.pathname);
  return pathParts(path);
}

/** A part that is not valid percent-encoding stays as it was typed. */
export function pathParts(path: string): readonly string[] {
  return path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
}

/** The query of the present address, and a function that replaces fields of it; an empty value takes a field out. */
export function useQueryFields(): readonly [URLSearchParams, (fields: Readonly<Record<string, string>>) => void] {
  const search = useSyncExternalStore(subscribe, () => location.search);
  const fields = new URLSearchParams(search);
  return [
    fields,
    (changes) => {
      const next = new URLSearchParams(location.search);
      for (const [name, value] of Object.entries(changes)) {
        if (value === '') next.delete(name);
        else next.set(name, value);
      }
      const text = next.toString();
      navigate(`${location.pathname}${text === '' ? '' : `?${text}`}`, { replace: true });
    },
  ];
}
