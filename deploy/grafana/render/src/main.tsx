// A whole dashboard on one page: ?dashboard=NAME&prometheus=ADDRESS&minutes=N
import { createTheme, dateTime, ThemeContext } from '@grafana/data';
import * as ui from '@grafana/ui';
import React from 'react';
import { createRoot } from 'react-dom/client';
import 'uplot/dist/uPlot.min.css';
import { withOptions } from './options';
import { Panel } from './panel';
import { Prometheus } from './prometheus';

const { GlobalStyles, PortalContainer } = ui as any;
const WIDTH = 1400;
const ROW = 34;
const GAP = 8;
const wanted = new URLSearchParams(location.search);

async function main(): Promise<void> {
  const theme = createTheme({ colors: { mode: 'dark' } });
  const board = await (await fetch(`json/${wanted.get('dashboard')}.json`)).json();
  const to = Date.now();
  const from = to - Number(wanted.get('minutes') ?? '10') * 60_000;
  const range = { from: dateTime(from), to: dateTime(to), raw: { from: dateTime(from), to: dateTime(to) } };
  const prometheus = new Prometheus(wanted.get('prometheus')!, from, to);
  const drawn = await Promise.all(
    board.panels.map(async (panel: any) => {
      let data: any[] = [];
      let error = '';
      try {
        data = withOptions(await prometheus.frames(panel.targets), panel, theme);
      } catch (failure) {
        error = String(failure);
      }
      const { x, y, w, h } = panel.gridPos;
      const place = { position: 'absolute' as const, left: (x * WIDTH) / 24, top: y * ROW, width: (w * WIDTH) / 24 - GAP, height: h * ROW - GAP };
      return (
        <div key={panel.title} style={place}>
          <Panel panel={panel} data={data} error={error} range={range} theme={theme} width={place.width} height={place.height} />
        </div>
      );
    })
  );
  createRoot(document.getElementById('root')!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ position: 'relative' }}>{drawn}</div>
      <PortalContainer />
    </ThemeContext.Provider>
  );
}

main().catch((error) => {
  document.body.textContent = String(error);
});
