import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vitest/config';

// The browsers in government offices are Chrome 90 to 110.
const oldest = 'chrome90';

export default defineConfig({
  plugins: [vue()],
  build: { target: oldest, cssTarget: oldest, assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_I18N_LEGACY_API__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  server: { proxy: { '/api': process.env['LAMPLIGHTER_URL'] ?? 'http://127.0.0.1:8080' } },
  test: { environment: 'happy-dom', include: ['test/**/*.test.ts'] },
});
