import { InstanceState } from '../../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';

interface Place {
  readonly state: InstanceState;
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

const [WIDTH, HEIGHT] = [136, 40];
const PLACES: readonly Place[] = [
  { state: InstanceState.MONITORING, name: 'MONITORING', x: 90, y: 140 },
  { state: InstanceState.SIGNAL_DETECTED, name: 'SIGNAL DETECTED', x: 300, y: 140 },
  { state: InstanceState.SIGNAL_CANCELLED, name: 'SIGNAL CANCELLED', x: 300, y: 36 },
  { state: InstanceState.ENTRY_EVALUATION, name: 'ENTRY EVALUATION', x: 510, y: 140 },
  { state: InstanceState.POSITION_ACTIVE, name: 'POSITION ACTIVE', x: 720, y: 140 },
  { state: InstanceState.EXITED, name: 'EXITED', x: 720, y: 36 },
  { state: InstanceState.EMERGENCY_EXIT, name: 'EMERGENCY EXIT', x: 510, y: 250 },
];

/** Each edge as a path, and where its name stands. */
const EDGES: readonly { readonly name: string; readonly path: string; readonly x: number; readonly y: number }[] = [
  { name: 'S1', path: 'M158 140H230', x: 194, y: 133 },
  { name: 'O1, timeout', path: 'M300 120V58', x: 337, y: 92 },
  { name: 'cooldown', path: 'M232 36H90V118', x: 140, y: 29 },
  { name: 'Z1', path: 'M368 140H440', x: 404, y: 133 },
  { name: 'filled', path: 'M578 140H650', x: 614, y: 133 },
  { name: 'ZE1, stop, target', path: 'M720 120V58', x: 772, y: 92 },
  { name: 'rejected', path: 'M510 120V84H110V118', x: 430, y: 78 },
  { name: '', path: 'M652 36H430V4H60V118', x: 0, y: 0 },
  { name: 'E1', path: 'M510 160V228', x: 522, y: 198 },
  { name: 'E1', path: 'M720 160V250H580', x: 650, y: 243 },
  { name: 'E1', path: 'M300 160V240H440', x: 370, y: 233 },
  { name: 'long cooldown', path: 'M442 260H90V162', x: 200, y: 277 },
];

/** The states of an instance and the ways between them, with the present one lit. */
export function StateMachine({ state }: { readonly state: InstanceState }) {
  const now = PLACES.find((place) => place.state === state)?.name ?? 'unknown';
  return (
    <svg
      className="machine"
      viewBox="0 -8 830 298"
      role="img"
      aria-label={`State machine; now in ${now.toLowerCase()}`}
    >
      <defs>
        <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
          <path d="M0 0 8 4 0 8z" className="arrow" />
        </marker>
      </defs>
      {EDGES.map(({ name, path, x, y }) => (
        <g key={path}>
          <path d={path} className="edge" markerEnd="url(#arrow)" />
          <text x={x} y={y} className="edge-name">
            {name}
          </text>
        </g>
      ))}
      {PLACES.map((place) => (
        <g key={place.name} className={place.state === state ? 'lit' : ''}>
          <rect x={place.x - WIDTH / 2} y={place.y - HEIGHT / 2} width={WIDTH} height={HEIGHT} rx="8" />
          <text x={place.x} y={place.y + 4}>
            {place.name}
          </text>
        </g>
      ))}
    </svg>
  );
}
