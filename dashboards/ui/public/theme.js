// Sets the theme before the first paint, so that a dark room stays dark. What is
// kept here is written by src/preferences.ts.
(function () {
  var theme = null;
  try {
    theme = localStorage.getItem('lamplighter.theme');
  } catch (e) {
    // A browser that keeps nothing gets the system's theme.
  }
  if (theme !== 'light' && theme !== 'dark') theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  document.documentElement.dataset.theme = theme;
})();
