// Draws the figures of a report: each place names the element that holds its figure as JSON.
function draw() {
  for (const place of document.querySelectorAll("figure")) {
    const { data, layout } = JSON.parse(document.getElementById(place.dataset.of).textContent);
    Plotly.newPlot(place, data, layout, { responsive: true, displaylogo: false });
  }
}

// Plotly measures words when it draws, so the typeface comes first.
document.fonts.load("1em Inter").then(draw, draw);
