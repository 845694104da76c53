// Runs before the first paint, so that a theme chosen by hand does not flash the other one first.
try {
  const chosen = localStorage.getItem("ajar-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage switched off: the system's theme is used.
}
