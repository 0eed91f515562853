// Draws the charts beside the tables. What is drawn stands in the table too; without script the tables remain.
"use strict";

(() => {
  const charts = [...document.querySelectorAll("[data-chart]")];
  if (!charts.length || !window.uPlot) return;

  // Canvas knows no stylesheet: colours are read from the page's tokens, by an element that carries each.
  const colour = (name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const font = () => `12px ${getComputedStyle(document.body).fontFamily}`;
  const whole = (value) => (value == null ? "–" : value.toLocaleString("en"));
  const moment = (seconds, hourly) => new Intl.DateTimeFormat("en-GB", {
    timeZone: "UTC", ...(hourly ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" }),
  }).format(new Date(seconds * 1e3));
  const percent = (value) => (value == null ? "–" : `${Math.round(value * 100)}%`);

  const size = (box) => ({ width: Math.floor(box.clientWidth), height: Math.floor(box.clientHeight) - 28 });
  const axis = (more) => ({
    stroke: colour("muted"), font: font(), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, ...more,
  });

  const volume = (chart) => {
    const bars = uPlot.paths.bars({ size: [0.7, 60] });
    const [all, people] = [colour("accent-fill"), colour("warn")];
    return {
      legend: { live: true },
      scales: { x: { time: true }, y: { range: (_, low, high) => [0, Math.max(high * 1.1, 4)] } },
      axes: [axis({ values: (_, ticks, __, ___, step) => ticks.map((t) => moment(t, step < 86400)) }), axis({ values: (_, ticks) => ticks.map((t) => (Number.isInteger(t) ? whole(t) : "")), size: 56 })],
      series: [
        { label: "UTC", value: (_, v) => (v == null ? "–" : moment(v, chart.hourly)) },
        { label: chart.series[0].name, stroke: all, fill: all, paths: bars, points: { show: false }, value: (_, v) => whole(v) },
        { label: chart.series[1].name, stroke: people, fill: people, paths: bars, points: { show: false }, value: (_, v) => whole(v) },
      ],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
    };
  };

  const calibration = () => {
    const [line, mark, muted] = [colour("accent-fill"), colour("text"), colour("muted")];
    const at = (plot, x, y) => [plot.valToPos(x, "x", true), plot.valToPos(y, "y", true)];
    const stroke = (plot, from, to, style, dash) => {
      const paper = plot.ctx;
      paper.save();
      paper.beginPath();
      paper.strokeStyle = style;
      paper.lineWidth = 1.5 * devicePixelRatio;
      paper.setLineDash(dash || []);
      paper.moveTo(...from);
      paper.lineTo(...to);
      paper.stroke();
      paper.restore();
    };
    const drawn = (plot) => {
      stroke(plot, at(plot, 0, 0), at(plot, 1, 1), muted, [6, 6]);
      plot.data[0].forEach((x, i) => stroke(plot, at(plot, x, plot.data[2][i]), at(plot, x, plot.data[3][i]), line));
    };
    const shares = { values: (_, ticks) => ticks.map(percent) };
    return {
      legend: { live: true },
      hooks: { drawAxes: [drawn] },
      scales: { x: { time: false, range: () => [0, 1] }, y: { range: () => [0, 1] } },
      axes: [axis(shares), axis({ ...shares, size: 56 })],
      series: [
        { label: "sure", value: (_, v) => percent(v) },
        { label: "right", stroke: line, width: 2, points: { show: true, size: 8, fill: mark }, value: (_, v) => percent(v) },
        { label: "from", show: true, stroke: "transparent", points: { show: false }, value: (_, v) => percent(v) },
        { label: "to", show: true, stroke: "transparent", points: { show: false }, value: (_, v) => percent(v) },
      ],
    };
  };

  const kinds = { volume, calibration };
  let plots = [];
  const draw = () => {
    for (const [, plot] of plots) plot.destroy();
    plots = charts.map((box) => {
      const chart = JSON.parse(box.dataset.chart);
      const data = [chart.x, ...chart.series.map((series) => series.values)];
      return [box, new uPlot({ ...size(box), ...kinds[chart.kind](chart) }, data, box)];
    });
  };

  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => plots.forEach(([box, plot]) => plot.setSize(size(box))), 100);
  });
})();
