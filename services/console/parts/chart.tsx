import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clockText, minuteText, shortDayText, whenText } from './time.ts';

/** One line of a chart. */
export interface Line {
  readonly name: string;
  /** Name of a colour of the style sheet, such as "accent". */
  readonly colour: string;
  /** Which of the two scales; the second has no axis of its own, its values are told under the chart. */
  readonly axis?: 'first' | 'second';
  readonly text: (value: number) => string;
  readonly points?: boolean;
  /** Dots only. */
  readonly dots?: boolean;
  readonly range?: readonly [number, number];
  readonly width?: number;
}

const HEIGHT = 190;

/**
 * Lines over time. `times` are seconds since 1970, rising; each line has a value, or null, a time. `summary` says in words what
 * the drawing shows, for those who do not see it.
 */
export function Chart({
  times,
  lines,
  values,
  summary,
  height = HEIGHT,
}: {
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly values: readonly (readonly (number | null)[])[];
  readonly summary: string;
  readonly height?: number;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const data = [[...times], ...values.map((each) => [...each])] as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;
  const shape = JSON.stringify(lines);
  const described = useRef(lines);
  described.current = lines;

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsFor(element, described.current, height), latest.current, element);
    };
    draw();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    // The canvas does not follow style sheets by itself.
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      resized.disconnect();
      themed.disconnect();
      dark.removeEventListener('change', draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape, height]);

  useEffect(() => plot.current?.setData(latest.current), [data]);
  return (
    <figure className="chart" role="img" aria-label={summary}>
      <div ref={place} aria-hidden="true" />
    </figure>
  );
}

function optionsFor(element: HTMLElement, lines: readonly Line[], height: number): uPlot.Options {
  const quiet = colourOf(element, 'quiet');
  const grid = { stroke: colourOf(element, 'line'), width: 1 };
  const byAxis = (axis: 'first' | 'second') => lines.filter((line) => (line.axis ?? 'first') === axis);
  const valueAxis: uPlot.Axis = {
    scale: 'first',
    stroke: quiet,
    size: 62,
    grid,
    ticks: { show: false },
    values: (_plot, splits) => splits.map((value) => byAxis('first')[0]?.text(value) ?? ''),
  };
  return {
    width: element.clientWidth,
    height,
    cursor: { y: false, points: { size: 6 } },
    scales: Object.fromEntries(
      (['first', 'second'] as const).map((axis) => {
        const range = byAxis(axis).find((line) => line.range !== undefined)?.range;
        return [axis, range === undefined ? {} : { range: () => [range[0], range[1]] as uPlot.Range.MinMax }];
      }),
    ),
    axes: [{ stroke: quiet, grid: { show: false }, ticks: { show: false }, space: 80, values: timeTexts }, valueAxis],
    series: [
      { label: 'time', value: (_plot, at: number | null) => (at === null ? '–' : whenText(at * 1_000)) },
      ...lines.map(
        (line): uPlot.Series => ({
          label: line.name,
          scale: line.axis ?? 'first',
          stroke: colourOf(element, line.colour),
          width: line.dots === true ? 0 : (line.width ?? 1.6),
          ...(line.dots === true ? { paths: () => null } : {}),
          points: {
            show: line.dots === true || line.points === true,
            size: line.dots === true ? 9 : 5,
            fill: colourOf(element, line.colour),
          },
          spanGaps: line.dots !== true,
          value: (_plot, value: number | null) => (value === null ? '–' : line.text(value)),
        }),
      ),
    ],
  };
}

/** Times of day, or days where the marks are days apart; the chart's own are in twelve hours. */
function timeTexts(_plot: uPlot, marks: number[], _axis: number, _space: number, incrementS: number): string[] {
  return marks.map((at) => {
    if (incrementS >= 86_400) return shortDayText(at * 1_000);
    return incrementS < 60 ? clockText(at * 1_000) : minuteText(at * 1_000);
  });
}

/** A canvas wants the colour itself: the browser resolves light and dark on an element. */
function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
