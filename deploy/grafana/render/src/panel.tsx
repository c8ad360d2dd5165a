// One panel of a dashboard, drawn by the component that Grafana itself would use.
import { DataFrame, getDisplayValueAlignmentFactors, getFieldDisplayValues, GrafanaTheme2, TimeRange, VizOrientation } from '@grafana/data';
import * as ui from '@grafana/ui';
import React from 'react';
import { optionsOf } from './options';

const { BarGauge, BigValue, PanelChrome, Table, TimeSeries, VizRepeater } = ui as any;
const asItIs = (text: string) => text;

export interface PanelProps {
  panel: any;
  data: DataFrame[];
  error: string;
  range: TimeRange;
  theme: GrafanaTheme2;
  width: number;
  height: number;
}

export function Panel({ panel, error, width, height, ...rest }: PanelProps) {
  return (
    <PanelChrome title={panel.title} width={width} height={height} statusMessage={error || undefined}>
      {(innerWidth: number, innerHeight: number) => (
        <Fence>
          <Content panel={panel} error={error} width={innerWidth} height={innerHeight} {...rest} />
        </Fence>
      )}
    </PanelChrome>
  );
}

function Content(props: PanelProps) {
  if (props.error || !props.data.some((frame) => frame.length > 0)) {
    return <div className="empty">{props.error || 'No data'}</div>;
  }
  switch (props.panel.type) {
    case 'timeseries':
      return <Graph {...props} />;
    case 'stat':
      return <Numbers {...props} />;
    case 'bargauge':
      return <Bars {...props} />;
    default:
      return <Table data={props.data[0]} width={props.width} height={props.height} timeRange={props.range} />;
  }
}

function Graph({ panel, data, range, width, height, theme }: PanelProps) {
  return (
    <TimeSeries
      frames={data}
      timeRange={range}
      timeZone="utc"
      width={width}
      height={height}
      legend={{ calcs: [], ...panel.options.legend }}
      options={panel.options}
      theme={theme}
      replaceVariables={asItIs}
      structureRev={1}
    >
      {() => null}
    </TimeSeries>
  );
}

function shown({ panel, data, theme }: PanelProps): any[] {
  return getFieldDisplayValues({
    fieldConfig: optionsOf(panel),
    reduceOptions: { calcs: ['lastNotNull'], values: false },
    replaceVariables: asItIs as any,
    theme,
    data,
    timeZone: 'utc',
  } as any);
}

// A panel of one name shows the series that holds, and only that.
function Numbers(props: PanelProps) {
  const { panel, width, height, theme } = props;
  const isName = panel.options.textMode === 'name';
  const latest = Math.max(...props.data.map((frame) => lastTime(frame)));
  const all = shown(isName ? { ...props, data: props.data.filter((frame) => lastTime(frame) === latest) } : props);
  return (
    <div style={{ display: 'flex' }}>
      {all.map((one, at) => (
        <BigValue
          key={at}
          value={isName ? { ...one.display, text: one.display.title, suffix: '', title: '' } : { ...one.display, title: '' }}
          width={width / all.length}
          height={height}
          theme={theme}
          colorMode={panel.options.colorMode}
          graphMode="none"
          justifyMode="auto"
          textMode="auto"
        />
      ))}
    </div>
  );
}

function lastTime(frame: DataFrame): number {
  const times = frame.fields[0].values;
  return times[times.length - 1];
}

function Bars(props: PanelProps) {
  const { panel, width, height, theme } = props;
  return (
    <VizRepeater
      getValues={() => shown(props)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      source={props.data}
      width={width}
      height={height}
      orientation={VizOrientation.Horizontal}
      itemSpacing={6}
      renderValue={({ value, width, height, alignmentFactors }: any) => (
        <BarGauge
          value={value.display}
          field={value.field}
          display={value.view?.getFieldDisplayProcessor(value.colIndex)}
          width={width}
          height={height}
          orientation={VizOrientation.Horizontal}
          displayMode={panel.options.displayMode}
          text={panel.options.text}
          theme={theme}
          itemSpacing={6}
          lcdCellWidth={8}
          alignmentFactors={alignmentFactors}
        />
      )}
    />
  );
}

// One broken panel must not take the page with it.
class Fence extends React.Component<{ children: React.ReactNode }, { error: string }> {
  state = { error: '' };
  static getDerivedStateFromError(error: Error) {
    return { error: String(error) };
  }
  render() {
    return this.state.error ? <div className="empty">{this.state.error}</div> : this.props.children;
  }
}
