// Draws one dashboard. The page's address says what to draw; `window.rendering` has the result.
import { createTheme } from '@grafana/data';
import { GlobalStyles, PortalContainer, ThemeContext } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { MemoryRouter } from 'react-router-dom';

import { startApplication } from './application';
import { PrometheusDataSource } from './prometheus';
import { registerPanels } from './panels';
import { dashboardReport, type Report } from './report';
import { dashboardScene, type ClassicDashboard } from './scene';

declare global {
  interface Window {
    /** Set as soon as the page knows whether it can draw the dashboard at all. */
    rendering?: { failed: string } | { report: () => Report };
  }
}

interface Order {
  dashboard: string;
  theme: 'dark' | 'light';
  scrapeInterval: string;
  from?: string;
  to?: string;
  variables: Record<string, string[]>;
}

async function render(order: Order) {
  const theme = createTheme({ colors: { mode: order.theme } });
  const source = new PrometheusDataSource(order.scrapeInterval);
  await startApplication(source, theme);
  registerPanels();
  const dashboard: ClassicDashboard = await (await fetch(order.dashboard)).json();
  const scene = dashboardScene(dashboard, order);
  window.rendering = { report: () => dashboardReport(scene, source, dashboard, order.variables) };
  document.body.style.background = theme.colors.background.canvas;
  createRoot(document.getElementById('root')!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <MemoryRouter>
        <div style={{ padding: theme.spacing(2) }}>
          <h1 style={{ ...theme.typography.h3, margin: theme.spacing(0, 0, 2) }}>{dashboard.title}</h1>
          <scene.Component model={scene} />
        </div>
      </MemoryRouter>
      <PortalContainer />
    </ThemeContext.Provider>
  );
}

const order: Order = JSON.parse(new URLSearchParams(location.search).get('order')!);
render(order).catch((error) => {
  window.rendering = { failed: String(error.message ?? error) };
});
