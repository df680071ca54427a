import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';

export default {
  root: fileURLToPath(new URL('page', import.meta.url)),
  plugins: [react()],
  resolve: {
    // One router for all: @grafana/ui and @grafana/scenes require different names or versions.
    alias: { 'react-router-dom-v5-compat': 'react-router-dom' },
    dedupe: ['react', 'react-dom', 'react-router-dom'],
  },
  define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}', global: 'globalThis' },
  build: { target: 'es2022', minify: false, chunkSizeWarningLimit: Infinity, reportCompressedSize: false },
  logLevel: 'warn',
};
