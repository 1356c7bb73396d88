// Draws the figures of a report: each place names the element that holds its figure as JSON.
for (const place of document.querySelectorAll("figure")) {
  const { data, layout } = JSON.parse(document.getElementById(place.dataset.of).textContent);
  Plotly.newPlot(place, data, layout, { responsive: true, displaylogo: false });
}
