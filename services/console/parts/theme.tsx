import { useState } from 'react';

const KEY = 'strategos.theme';
const NEXT = { system: 'light', light: 'dark', dark: 'system' } as const;
type Theme = keyof typeof NEXT;

function kept(): Theme {
  const theme = localStorage.getItem(KEY);
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

/** Called before anything is drawn. */
export function applyTheme(theme: Theme = kept()): void {
  document.documentElement.dataset['theme'] = theme;
}

/** Goes through: as the system, light, dark. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState(kept);
  const change = (): void => {
    const next = NEXT[theme];
    localStorage.setItem(KEY, next);
    applyTheme(next);
    setTheme(next);
  };
  return (
    <button type="button" className="button small" onClick={change} title="Change between system, light and dark">
      Theme: {theme}
    </button>
  );
}
