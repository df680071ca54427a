// A gauge. Grafana's own is not in its published packages.
import { formattedValueToString, getActiveThreshold, ThresholdsMode, type DisplayValue, type FieldConfig } from '@grafana/data';
import { calculateFontSize, useTheme2 } from '@grafana/ui';

const START = (-7 / 6) * Math.PI; // 210°, a little below the horizontal on the left
const SWEEP = (4 / 3) * Math.PI;

interface ArcProps {
  display: DisplayValue;
  config: FieldConfig;
  width: number;
  height: number;
  thresholdMarkers: boolean;
}

/** An arc between two shares of the scale, each from 0 to 1. */
function path(radius: number, from: number, to: number) {
  const point = (share: number) => {
    const angle = START + SWEEP * share;
    return `${radius * Math.cos(angle)} ${radius * Math.sin(angle)}`;
  };
  const large = SWEEP * (to - from) > Math.PI ? 1 : 0;
  return `M ${point(from)} A ${radius} ${radius} 0 ${large} 1 ${point(to)}`;
}

/** Where each threshold's colour begins and ends. */
function segments({ thresholds, min = 0, max = 100 }: FieldConfig) {
  const steps = thresholds?.steps ?? [];
  const share = (value: number) => {
    const of = thresholds?.mode === ThresholdsMode.Percentage ? value / 100 : (value - min!) / (max! - min!);
    return Math.min(1, Math.max(0, of));
  };
  return steps.map(({ value, color }, i) => ({
    color,
    from: share(value),
    to: i + 1 < steps.length ? share(steps[i + 1].value) : 1,
  }));
}

export function Arc({ display, config, width, height, thresholdMarkers }: ArcProps) {
  const theme = useTheme2();
  const { min, max } = { min: config.min ?? 0, max: config.max ?? 100 };
  const share = Math.min(1, Math.max(0, (display.numeric - min) / (max - min)));
  const titleHeight = display.title ? Math.min(28, height * 0.2) : 0;
  const radius = Math.max(10, Math.min(width / 2, (height - titleHeight) / 1.5) - 6);
  const thickness = radius / 4;
  const middle = radius - thickness / 2 - (thresholdMarkers ? 7 : 0);
  const text = formattedValueToString(display);
  const fontSize = calculateFontSize(text, (middle - thickness) * 1.7, radius / 2, 1);
  const color = display.color ?? getActiveThreshold(display.numeric, config.thresholds?.steps).color;
  const resolved = (name: string) => theme.visualization.getColorByName(name);
  return (
    <svg width={width} height={height} viewBox={`${-width / 2} ${-radius - 4} ${width} ${height}`} fill="none">
      <path d={path(middle, 0, 1)} stroke={theme.colors.background.secondary} strokeWidth={thickness} />
      {share > 0 && <path d={path(middle, 0, share)} stroke={color} strokeWidth={thickness} />}
      {thresholdMarkers &&
        segments({ ...config, min, max }).map((segment, i) => (
          <path key={i} d={path(radius - 2, segment.from, segment.to)} stroke={resolved(segment.color)} strokeWidth={4} />
        ))}
      <text textAnchor="middle" dominantBaseline="middle" fill={color} fontSize={fontSize} fontWeight={500}>
        {text}
      </text>
      <text y={radius / 2 + titleHeight} textAnchor="middle" fill={theme.colors.text.primary} fontSize={titleHeight * 0.6}>
        {display.title}
      </text>
    </svg>
  );
}
