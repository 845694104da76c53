// Runs before the first paint, so that the other theme doesn't flash up before the one that was chosen.
try {
  const chosen = localStorage.getItem("ajar-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is switched off: the system's theme is used.
}
