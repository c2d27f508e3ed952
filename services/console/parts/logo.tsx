/** The mark of the project; its name stands beside it in text. */
export function Logo() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true" className="logo">
      <rect width="32" height="32" rx="7" />
      <path d="M7 22l6-8 5 4 7-10" />
    </svg>
  );
}
