/** Views of one thing, of which one is shown; a group of buttons that say which is pressed. */
export function Tabs<T extends string>({
  label,
  tabs,
  chosen,
  onChoose,
}: {
  readonly label: string;
  readonly tabs: readonly T[];
  readonly chosen: T;
  readonly onChoose: (tab: T) => void;
}) {
  return (
    <div className="chips tabs" role="group" aria-label={label}>
      {tabs.map((tab) => (
        <button key={tab} type="button" className="chip" aria-pressed={tab === chosen} onClick={() => onChoose(tab)}>
          {tab}
        </button>
      ))}
    </div>
  );
}
