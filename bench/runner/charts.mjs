// The charts of the report, as SVG.

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { shortName } from './table.mjs';

/** @typedef {import('./summary.mjs').RowResult} RowResult */

const { document } = parseHTML('<html><body></body></html>');

const COLORS = {
  domain: ['ours', 'ours-views', 'uws', 'uws-deferred', 'ws', 'bun'],
  range: ['#0a6ebd', '#74add1', '#e08214', '#fdb863', '#7f7f7f', '#b2abd2'],
};
const VERDICTS = { domain: ['pass', 'fail'], range: ['#1a9850', '#d73027'] };
const WIDTH = 860;
const MARGIN_LEFT = 250;

/**
 * A chart as a file of its own: with a background, so that it can be read on any page.
 *
 * @param {Plot.PlotOptions} options
 * @returns {string}
 */
function draw(options) {
  const style = { background: 'white', color: '#222' };
  const figure = Plot.plot({ width: WIDTH, marginLeft: MARGIN_LEFT, ...options, style, document });
  const svg = figure.tagName.toLowerCase() === 'svg' ? figure : figure.querySelector('svg');
  if (!svg) throw new Error('no chart was drawn');
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return `${svg.outerHTML}\n`;
}

/**
 * Where each ratio arrived, and where it was to arrive.
 *
 * @param {readonly RowResult[]} rows
 * @returns {string}
 */
export function ratioChart(rows) {
  const goals = rows.flatMap((row) =>
    row.goals.flatMap(({ of, against, atLeast, atMost, byCpu, verdict }) => {
      if (byCpu) return [];
      const ratio = row.ratios.find((pair) => pair.of === of && pair.against === against);
      if (!ratio) return [];
      const name = `${row.name}: ${of}÷${against}`;
      return { ...ratio, name, goal: atLeast ?? atMost, verdict };
    }),
  );
  return draw({
    height: 60 + 24 * goals.length,
    marginTop: 40,
    x: {
      type: 'log',
      grid: true,
      ticks: [0.1, 0.2, 0.5, 1, 1.5, 2, 3, 5, 10, 20],
      tickFormat: String,
      label: 'ratio, median and range of the rounds; | is the goal',
      axis: 'top',
    },
    y: { domain: goals.map(({ name }) => name), label: null },
    color: VERDICTS,
    marks: [
      Plot.ruleX([1], { stroke: '#999' }),
      Plot.ruleY(goals, { y: 'name', x1: 'min', x2: 'max', stroke: 'verdict', strokeWidth: 2 }),
      Plot.dot(goals, { y: 'name', x: 'median', fill: 'verdict', r: 4 }),
      Plot.tickX(goals, { y: 'name', x: 'goal', stroke: '#222', strokeWidth: 2, inset: 4 }),
    ],
  });
}

/**
 * Bars of all contestants in each row, µWebSockets.js being 1.
 *
 * @param {readonly RowResult[]} rows
 * @param {string} label
 * @param {(result: import('./summary.mjs').ContestantResult) => number | null} of
 * @returns {string}
 */
export function barChart(rows, label, of) {
  const bars = rows.flatMap(({ name, results }) => {
    const uws = results['uws'] ?? results['uws-deferred'];
    const base = uws && of(uws);
    if (!base) return [];
    return Object.entries(results).flatMap(([contestant, result]) => {
      const value = of(result);
      return value === null ? [] : { name, contestant: shortName(contestant), value: value / base };
    });
  });
  const names = [...new Set(bars.map(({ name }) => name))];
  return draw({
    height: 60 + 14 * bars.length + 8 * names.length,
    marginTop: 40,
    marginLeft: 70,
    marginRight: 220,
    x: { grid: true, label: `${label}, µWebSockets.js = 1`, axis: 'top' },
    y: { label: null, domain: [...new Set(bars.map(({ contestant }) => contestant))] },
    fy: { label: null, domain: names, padding: 0.15 },
    color: COLORS,
    marks: [
      Plot.barX(bars, { fy: 'name', y: 'contestant', x: 'value', fill: 'contestant' }),
      Plot.ruleX([1], { stroke: '#222' }),
    ],
  });
}

/**
 * Quantiles of the latency at a fixed rate.
 *
 * @param {RowResult} row
 * @returns {string}
 */
export function latencyChart(row) {
  const names = { p50: '50 %', p90: '90 %', p99: '99 %', p999: '99.9 %', max: 'highest' };
  const points = Object.entries(row.results).flatMap(([contestant, { latencyUs }]) =>
    latencyUs === null
      ? []
      : Object.entries(latencyUs).map(([key, us]) => ({
          contestant: shortName(contestant),
          quantile: names[/** @type {keyof typeof names} */ (key)],
          ms: us / 1000,
        })),
  );
  return draw({
    height: 320,
    marginLeft: 60,
    marginRight: 90,
    x: { type: 'point', domain: Object.values(names), label: 'part of the messages' },
    y: { type: 'log', grid: true, label: 'latency from the scheduled time, ms' },
    color: COLORS,
    marks: [
      Plot.lineY(points, { x: 'quantile', y: 'ms', stroke: 'contestant', strokeWidth: 2 }),
      Plot.dot(points, { x: 'quantile', y: 'ms', fill: 'contestant', r: 3 }),
      Plot.text(
        points.filter(({ quantile }) => quantile === names.max),
        { x: 'quantile', y: 'ms', text: 'contestant', textAnchor: 'start', dx: 8 },
      ),
    ],
  });
}
