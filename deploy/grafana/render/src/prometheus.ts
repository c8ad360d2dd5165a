// Questions to Prometheus: the dashboard's variables filled in, the answers as Grafana's data frames.
import { DataFrame, FieldType, toDataFrame } from '@grafana/data';

export interface Target {
  expr: string;
  legendFormat?: string;
  refId: string;
  instant?: boolean;
  format?: string;
}

type Labels = Record<string, string>;
interface Series {
  metric: Labels;
  value?: [number, string];
  values?: Array<[number, string]>;
}

const STEP_S = 5;
const BUILT_IN: Labels = { __rate_interval: '1m', __interval: '15s', __range: '30m' };

export class Prometheus {
  constructor(private readonly address: string, private readonly from: number, private readonly to: number) {}

  async frames(targets: Target[]): Promise<DataFrame[]> {
    const answers = await Promise.all(targets.map((t) => (t.format === 'table' ? this.table(t) : this.graph(t))));
    return answers.flat();
  }

  // One frame, a column for each label that tells the rows apart.
  private async table(target: Target): Promise<DataFrame[]> {
    const rows = await this.ask('query', { query: fill(target.expr), time: String(this.to / 1000) });
    const names = [...new Set(rows.flatMap((r) => Object.keys(r.metric)))].filter((n) => !n.startsWith('__') && n !== 'job');
    const columns = names.map((name) => ({ name, type: FieldType.string, values: rows.map((r) => r.metric[name] ?? '') }));
    const value = { name: 'Value', type: FieldType.number, values: rows.map((r) => Number(r.value![1])) };
    return [toDataFrame({ refId: target.refId, fields: [...columns, value] })];
  }

  private async graph(target: Target): Promise<DataFrame[]> {
    const range = { start: String(this.from / 1000), end: String(this.to / 1000), step: String(STEP_S) };
    const found = await this.ask('query_range', { query: fill(target.expr), ...range });
    return found.map((one) =>
      toDataFrame({
        refId: target.refId,
        fields: [
          { name: 'time', type: FieldType.time, values: one.values!.map(([at]) => at * 1000) },
          {
            name: 'value',
            type: FieldType.number,
            labels: one.metric,
            values: one.values!.map(([, text]) => Number(text)),
            config: { displayNameFromDS: legend(target.legendFormat ?? '', one.metric) },
          },
        ],
      })
    );
  }

  private async ask(path: string, query: Labels): Promise<Series[]> {
    const answer = await fetch(`${this.address}/api/v1/${path}?${new URLSearchParams(query)}`);
    const body = await answer.json();
    if (body.status !== 'success') {
      throw new Error(body.error);
    }
    return body.data.result;
  }
}

// Every venue and every instrument: pictures show all of them.
function fill(expression: string): string {
  return expression.replace(/\$\{?(\w+)\}?/g, (_, name) => BUILT_IN[name] ?? '.*');
}

function legend(format: string, labels: Labels): string {
  return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? '') || Object.values(labels).join(' ');
}
