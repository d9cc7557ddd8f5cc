"use strict";
const byId = (id) => document.getElementById(id);
const views = new Map();
// Both known once the page is unpacked.
let facts;
let segmentation;
const left_out = new Set();

// Text goes into the page as text only, never as HTML.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in made && typeof value !== "string") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// ------------------------------------------------------------------ unpacking

// The text of a script element that holds it as base64 of gzip.
async function unzipped(id) {
  const bytes = Uint8Array.from(atob(byId(id).textContent), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

function unpacked(columns) {
  const names = Object.keys(columns);
  const values = names.map((name) =>
    columns[name].texts ? columns[name].at.map((place) => columns[name].texts[place]) : columns[name]);
  return Array.from({ length: names.length ? values[0].length : 0 }, (_, row) =>
    Object.fromEntries(names.map((name, column) => [name, values[column][row]])));
}

// ------------------------------------------------------------------ charts

const all_rows = new Map();
function rowsOf(key) {
  if (!all_rows.has(key)) all_rows.set(key, unpacked(facts.figures[key].rows));
  return all_rows.get(key).filter((row) => !left_out.has(row.segment_code));
}

// On the page colours are the style sheet's, so that dark, light and print need no drawing.
function configured(page) {
  const ink = page ? "var(--ink)" : "#1c2430";
  const soft = page ? "var(--soft)" : "#525c6b";
  const grid = page ? "var(--grid)" : "#e6e9ee";
  return {
    aria: false,
    background: page ? "transparent" : "#ffffff",
    font: 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
    view: { stroke: "transparent" },
    axis: { labelColor: soft, titleColor: soft, gridColor: grid, domainColor: grid, tickColor: grid,
      labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", titlePadding: 8 },
    axisY: { titleAnchor: "end", titleAlign: "left", titleAngle: 0, titleX: 0, titleY: -10 },
    axisBand: { grid: false },
    legend: { labelColor: ink, labelFontSize: 12, symbolType: "circle", symbolSize: 90, rowPadding: 6,
      columnPadding: 16, offset: 30 },
    title: { color: ink, subtitleColor: soft, anchor: "start", fontSize: 16, subtitleFontSize: 12, offset: 14 },
    text: { color: ink, fontSize: 12 },
    line: { strokeWidth: 2 },
  };
}

function specOf(key, rows, extra = {}) {
  return { ...facts.figures[key].spec, datasets: { rows }, width: "container", ...extra };
}

async function draw(key) {
  const { least_width, how, title } = facts.figures[key];
  const place = byId(key).querySelector(".chart");
  views.get(key)?.finalize();
  views.delete(key);
  const rows = rowsOf(key);
  place.replaceChildren();
  if (!rows.length) {
    place.append(element("p", { class: "nothing" }, "No segment is chosen."));
    return;
  }
  place.style.minWidth = least_width ? `${least_width}px` : "";
  const drawn = await vegaEmbed(place, specOf(key, rows), {
    mode: "vega-lite", renderer: "svg", actions: false, config: configured(true),
    tooltip: { theme: "custom" },
  });
  // Only now, since vega-embed writes a label of its own.
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", `${title}. ${how}`);
  views.set(key, drawn);
}

const shown = (node) => !node.dataset.segmentation || node.dataset.segmentation === segmentation;

async function show() {
  for (const node of document.querySelectorAll("[data-segmentation]")) node.hidden = !shown(node);
  for (const row of document.querySelectorAll("tr[data-segment]")) row.hidden = left_out.has(row.dataset.segment);
  // A section may have nothing to say of customers who have no invoices.
  for (const part of document.querySelectorAll("main section:not(#calculator)")) {
    part.hidden = [...part.querySelectorAll(".sheet")].every((sheet) => sheet.hidden);
    document.querySelector(`nav a[href="#${part.id}"]`).parentElement.hidden = part.hidden;
  }
  await Promise.all([...document.querySelectorAll("figure")].filter(shown).map((figure) => draw(figure.id)));
  document.body.dataset.drawn = "true";
}

// ------------------------------------------------------------------ export

function csv(rows) {
  const names = Object.keys(rows[0] ?? {});
  const field = (value) => {
    let text = value === null || value === undefined ? "" : String(value);
    // A spreadsheet computes what begins like a formula, fullwidth signs too; after an apostrophe it is text.
    if (typeof value === "string" && /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text)) text = `'${text}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names, ...rows.map((row) => names.map((name) => row[name]))].map((line) => line.map(field).join(",")).join("\r\n") + "\r\n";
}

async function exported(key, kind) {
  const { title, least_width } = facts.figures[key];
  const rows = rowsOf(key);
  if (kind === "csv") return new Blob([csv(rows)], { type: "text/csv" });
  const place = element("div", { style: "position:absolute;left:-9999px" });
  document.body.append(place);
  const spec = specOf(key, rows, {
    width: Math.max(720, least_width), autosize: { type: "pad" }, padding: 16,
    title: { text: title, subtitle: `As of ${facts.as_of}`, limit: 720 },
  });
  const drawn = await vegaEmbed(place, spec, { mode: "vega-lite", renderer: "none", actions: false, config: configured(false) });
  try {
    if (kind === "svg") return new Blob([await drawn.view.toSVG()], { type: "image/svg+xml" });
    const canvas = await drawn.view.toCanvas(2);
    return await new Promise((done) => canvas.toBlob(done, "image/png"));
  } finally {
    drawn.finalize();
    place.remove();
  }
}

async function save(key, kind) {
  const address = URL.createObjectURL(await exported(key, kind));
  const name = facts.figures[key].title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60);
  const link = element("a", { href: address, download: `${name}.${kind}` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

const MOST_ROWS = 200;
function listed(details, key) {
  details.querySelector(".scroller")?.remove();
  const rows = rowsOf(key);
  const names = Object.keys(rows[0] ?? {});
  const table = element("table", {},
    element("thead", {}, element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name.replaceAll("_", " "))))),
    element("tbody", {}, ...rows.slice(0, MOST_ROWS).map((row) => element("tr", {},
      ...names.map((name) => element("td", {}, row[name] === null ? "–" : String(row[name])))))));
  const more = rows.length > MOST_ROWS ? [element("p", {}, `The first ${MOST_ROWS} of ${rows.length} rows; the CSV has all.`)] : [];
  details.append(element("div", { class: "scroller", tabindex: "0" }, table, ...more));
}

function offerTools(figure) {
  const tools = element("div", { class: "tools" });
  const details = element("details", {}, element("summary", {}, "Figures as a table"));
  details.addEventListener("toggle", () => details.open && listed(details, figure.id));
  tools.append(details);
  for (const kind of ["png", "svg", "csv"]) {
    const button = element("button", { type: "button", "data-export": kind,
      "aria-label": `Save as ${kind.toUpperCase()}: ${facts.figures[figure.id].title}` }, kind.toUpperCase());
    button.addEventListener("click", () => save(figure.id, kind));
    tools.append(button);
  }
  figure.append(tools);
  const scroller = figure.querySelector(".scroller");
  if (facts.figures[figure.id].least_width) {
    scroller.tabIndex = 0;
    scroller.setAttribute("role", "region");
    scroller.setAttribute("aria-label", facts.figures[figure.id].title);
  }
}

// ------------------------------------------------------------------ filter

const dot = (colour) => element("span", { class: "dot", style: `background:${/^#[0-9a-f]{6}$/i.test(colour) ? colour : "#888888"}` });

function offerSegments() {
  left_out.clear();
  byId("segments").replaceChildren(
    byId("segments").querySelector("legend"),
    ...facts.segmentations[segmentation].segments.map(({ segment_code, segment_name, colour }) => {
      const box = element("input", { type: "checkbox", checked: true, value: segment_code });
      box.addEventListener("change", () => {
        if (box.checked) left_out.delete(segment_code);
        else left_out.add(segment_code);
        show();
      });
      return element("label", { class: "chip" }, box, dot(colour), segment_name);
    }));
}

byId("segmentation").addEventListener("change", (event) => {
  segmentation = event.target.value;
  offerSegments();
  offerFeatures();
  show();
});

// ------------------------------------------------------------------ calculator

const TRANSFORMS = {
  none: (value) => value,
  log1p: (value) => Math.log(1 + value),
  sqrt: (value) => Math.sqrt(value),
  rank: (value, knots) => knots.filter((knot) => knot < value).length / 100,
};

function scale(centre, value) {
  const transformed = TRANSFORMS[centre.transform](value, centre.knots);
  const held = Math.min(Math.max(transformed, centre.clip_low ?? -Infinity), centre.clip_high ?? Infinity);
  return (held - centre.feature_offset) / centre.feature_scale;
}

// The segment of a customer with these features: what the mart customer_segments holds.
function place(name, features) {
  const { centres } = facts.segmentations[name];
  const is_beyond = ({ feature, fence_low, fence_high }) =>
    features[feature] < (fence_low ?? -Infinity) || features[feature] > (fence_high ?? Infinity);
  const beyond = centres.filter((centre) => centre.cluster_id === 1 && is_beyond(centre))
    .map(({ feature }) => feature).sort().join(" ");
  const group = centres.find((centre) => beyond && centre.outlier_features === beyond);
  const clusters = new Map();
  for (const centre of centres.filter(({ outlier_features }) => !outlier_features)) {
    const scaled = scale(centre, features[centre.feature]);
    const cluster = clusters.get(centre.cluster_id) ?? { cluster_id: centre.cluster_id, segment_code: centre.segment_code, squared: 0 };
    cluster.squared += (scaled - centre.center_scaled) ** 2;
    clusters.set(centre.cluster_id, cluster);
  }
  const nearest = [...clusters.values()].sort((one, other) => one.squared - other.squared || one.cluster_id - other.cluster_id);
  // A customer in a group of outliers has no centroid; the runner-up is where they would be otherwise.
  if (group) {
    return {
      cluster_id: group.cluster_id,
      segment_code: group.segment_code,
      distance: null,
      runner_up_segment_code: nearest[0].segment_code,
      margin: null,
    };
  }
  const distance = Math.sqrt(nearest[0].squared);
  const runner_up = nearest.find((cluster) => cluster.segment_code !== nearest[0].segment_code);
  return {
    cluster_id: nearest[0].cluster_id,
    segment_code: nearest[0].segment_code,
    distance,
    runner_up_segment_code: runner_up?.segment_code ?? null,
    margin: runner_up ? 1 - distance / Math.sqrt(runner_up.squared) : null,
  };
}

const values = {};

function judge() {
  const { segments } = facts.segmentations[segmentation];
  const verdict = byId("verdict");
  const wrong = Object.entries(values).find(([, value]) => !Number.isFinite(value) || value < 0);
  if (wrong) {
    verdict.replaceChildren(element("p", {}, `${facts.features[wrong[0]]?.name ?? wrong[0]} must be a number, 0 or more.`));
    return;
  }
  const found = place(segmentation, values);
  const named = (code) => segments.find((segment) => segment.segment_code === code);
  const own = named(found.segment_code);
  const close = found.margin === null && found.runner_up_segment_code
    ? `Separated as an outlier; otherwise it would be ${named(found.runner_up_segment_code).segment_name}.`
    : found.margin === null ? ""
    : `${found.margin < 0.1 ? "A close call" : found.margin < 0.3 ? "Fairly clear" : "Clear"}: the next segment would be ` +
      `${named(found.runner_up_segment_code).segment_name}; margin ${(found.margin * 100).toFixed(0)} % ` +
      "(0 % is the border between the two, 100 % the centroid).";
  verdict.replaceChildren(
    element("p", { class: "answer" }, dot(own.colour), own.segment_name),
    element("p", {}, close),
    element("p", {}, element("b", {}, "What to do: "), own.action ?? ""));
}

// A basket is spend over orders, so it is not asked for where both are there.
const derived = (features) => features.includes("average_basket_value") && features.includes("monetary") && features.includes("frequency");

function offerFeatures() {
  for (const name of Object.keys(values)) delete values[name];
  const ranges = new Map(facts.segmentations[segmentation].centres.map((centre) => [centre.feature, centre]));
  const is_derived = derived([...ranges.keys()]);
  const update = () => {
    if (is_derived) values.average_basket_value = values.monetary / Math.max(values.frequency, 1);
    const basket = byId("value-average_basket_value");
    if (is_derived && basket) basket.textContent = values.average_basket_value.toFixed(2);
    judge();
  };
  byId("features").replaceChildren(...[...ranges].map(([feature, { minimum, median, maximum }]) => {
    const { name, unit, is_log } = facts.features[feature] ?? { name: feature, unit: "", is_log: false };
    values[feature] = median;
    const label = element("label", { for: `number-${feature}` }, element("span", {}, name), element("span", { class: "unit" }, unit));
    if (is_derived && feature === "average_basket_value") {
      return element("div", { class: "feature" }, label, element("div", {}, element("output", { id: `value-${feature}` })));
    }
    const low = Math.max(0, minimum);
    const to = is_log ? (value) => Math.log1p(value) : (value) => value;
    const from = is_log ? (value) => Math.expm1(value) : (value) => value;
    const whole = Number.isInteger(minimum) && Number.isInteger(maximum);
    const slider = element("input", { type: "range", min: "0", max: "1000", step: "1", "aria-label": `${name}, ${unit}` });
    const number = element("input", { type: "number", id: `number-${feature}`, min: "0", step: "any", value: String(median) });
    const slide = (value) => { slider.value = String(1000 * (to(value) - to(low)) / Math.max(to(maximum) - to(low), 1e-9)); };
    slide(median);
    slider.addEventListener("input", () => {
      const value = from(to(low) + (to(maximum) - to(low)) * slider.value / 1000);
      values[feature] = whole ? Math.round(value) : Number(value.toFixed(2));
      number.value = String(values[feature]);
      update();
    });
    number.addEventListener("input", () => {
      values[feature] = number.value === "" ? NaN : Number(number.value);
      slide(values[feature]);
      update();
    });
    return element("div", { class: "feature" }, label, element("div", {}, slider, number));
  }));
  update();
}

byId("features").addEventListener("submit", (event) => event.preventDefault());

// ------------------------------------------------------------------ dark and light

const prefers_dark = matchMedia("(prefers-color-scheme: dark)");
function named_theme() {
  const dark = (document.documentElement.dataset.theme ?? (prefers_dark.matches ? "dark" : "light")) === "dark";
  byId("theme").setAttribute("aria-pressed", String(dark));
  return dark;
}
byId("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = named_theme() ? "light" : "dark";
  named_theme();
});
prefers_dark.addEventListener("change", named_theme);

named_theme();

// ------------------------------------------------------------------ start

async function begin() {
  facts = JSON.parse(await unzipped("facts"));
  [segmentation] = Object.keys(facts.segmentations);
  byId("segmentation").append(...Object.entries(facts.segmentations).map(([name, { title }]) => element("option", { value: name }, title)));
  document.querySelectorAll("figure").forEach(offerTools);
  // Without one there are too few customers for any.
  if (segmentation) {
    offerSegments();
    offerFeatures();
    for (const part of [document.querySelector(".filter"), byId("calculator"), document.querySelector('nav a[href="#calculator"]').parentElement]) part.hidden = false;
  }
  // Without a chart there is no bundle.
  if (byId("bundle").textContent) document.head.append(element("script", {}, await unzipped("bundle")));
  await show();
}

if ("DecompressionStream" in window) {
  begin().catch((error) => {
    byId("trouble").textContent = `The charts can't be drawn: ${error.message}. The tables below are complete.`;
    byId("trouble").hidden = false;
    throw error;
  });
}
