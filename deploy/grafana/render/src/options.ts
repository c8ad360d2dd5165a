// Field options: those of the dashboard over Grafana's defaults, applied to frames as a panel would.
import {
  applyFieldOverrides,
  DataFrame,
  FieldColorModeId,
  FieldConfigOptionsRegistry,
  FieldConfigSource,
  GrafanaTheme2,
  standardFieldConfigEditorRegistry,
} from '@grafana/data';

const STANDARD = ['unit', 'min', 'max', 'decimals', 'displayName', 'noValue', 'thresholds', 'mappings', 'color', 'links', 'filterable', 'fieldMinMax'];
const DRAWN: Record<string, unknown> = {
  drawStyle: 'line',
  lineInterpolation: 'linear',
  lineWidth: 1,
  fillOpacity: 8,
  gradientMode: 'none',
  showPoints: 'never',
  pointSize: 4,
  barAlignment: 0,
  stacking: { mode: 'none', group: 'A' },
  axisPlacement: 'auto',
  axisLabel: '',
  axisColorMode: 'text',
  axisBorderShow: false,
  axisCenteredZero: false,
  scaleDistribution: { type: 'linear' },
  hideFrom: { tooltip: false, viz: false, legend: false },
  spanNulls: false,
  insertNulls: false,
  thresholdsStyle: { mode: 'off' },
  lineStyle: { fill: 'solid' },
};
const NO_DEFAULT = ['axisSoftMin', 'width', 'minWidth'];

// What the dashboard leaves out Grafana takes from its plugins, which are not here.
function option(id: string, isCustom: boolean): any {
  const path = isCustom ? `custom.${id}` : id;
  const keep = (value: unknown) => value;
  return { id: path, path: id, name: id, isCustom, shouldApply: () => true, process: keep, override: keep, editor: () => null, settings: {} };
}

const standard = STANDARD.map((id) => option(id, false));
const registry = new FieldConfigOptionsRegistry(() => [...standard, ...[...Object.keys(DRAWN), ...NO_DEFAULT].map((id) => option(id, true))]);
try {
  standardFieldConfigEditorRegistry.setInit(() => standard);
} catch {
  // set by the library already
}

export function optionsOf(panel: any): FieldConfigSource {
  const source = structuredClone(panel.fieldConfig ?? {});
  const defaults = source.defaults ?? {};
  const steps = (defaults.thresholds?.steps ?? [{ color: 'green', value: null }]).map((s: any) => ({ ...s, value: s.value ?? -Infinity }));
  const isGraph = panel.type === 'timeseries';
  defaults.custom = { ...DRAWN, ...defaults.custom };
  defaults.color ??= { mode: isGraph ? FieldColorModeId.PaletteClassic : FieldColorModeId.Thresholds };
  defaults.thresholds = { mode: 'absolute', steps };
  return { defaults, overrides: source.overrides ?? [] };
}

// The one transformation that our tables use: which columns are shown, in which order.
function organized(data: DataFrame[], panel: any): DataFrame[] {
  const organize = (panel.transformations ?? []).find((t: any) => t.id === 'organize')?.options;
  if (!organize) {
    return data;
  }
  const place = (name: string): number => organize.indexByName[name] ?? Infinity;
  return data.map((frame) => ({
    ...frame,
    fields: frame.fields.filter((f) => !organize.excludeByName[f.name]).sort((a, b) => place(a.name) - place(b.name)),
  }));
}

export function withOptions(data: DataFrame[], panel: any, theme: GrafanaTheme2): DataFrame[] {
  return applyFieldOverrides({
    data: organized(data, panel),
    fieldConfig: optionsOf(panel),
    fieldConfigRegistry: registry as any,
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
  });
}
