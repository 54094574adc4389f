// Small comforts; every page works without them.

// On narrow screens the group tree hides behind a button.
for (const side of document.querySelectorAll('[data-collapse]')) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'toggle'
  const current = side.querySelector('[aria-current] .node-name')
  button.textContent = `${side.dataset.collapse}: ${current ? current.textContent : 'choose'}`
  button.insertAdjacentHTML('beforeend', '<svg class="icon" aria-hidden="true"><use href="#i-next"/></svg>')
  button.setAttribute('aria-expanded', 'false')
  button.addEventListener('click', () => {
    button.setAttribute('aria-expanded', String(button.getAttribute('aria-expanded') !== 'true'))
  })
  side.prepend(button)
}

// Pointing at a chart shows the reading there in place of the latest one.
const reset = (chart) => {
  const now = chart.querySelector('.chart-now')
  if (now?.dataset.latest) now.textContent = now.dataset.latest
  chart.querySelector('.chart-cursor')?.setAttribute('d', '')
}
document.addEventListener('pointermove', (event) => {
  const plot = event.target instanceof Element ? event.target.closest('.chart-canvas') : null
  for (const chart of document.querySelectorAll('[data-chart]')) if (!plot || !chart.contains(plot)) reset(chart)
  const chart = plot?.closest('[data-chart]')
  const data = chart?.querySelector('script')
  if (!data) return
  const box = plot.getBoundingClientRect()
  const x = (600 * (event.clientX - box.left)) / box.width
  const points = JSON.parse(data.textContent)
  const nearest = points.reduce((best, point) => (Math.abs(point.x - x) < Math.abs(best.x - x) ? point : best))
  const now = chart.querySelector('.chart-now')
  now.dataset.latest ??= now.textContent
  const time = new Date(nearest.time).toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    timeZone: chart.dataset.timezone,
  })
  now.textContent = `${nearest.value}${chart.dataset.unit} at ${time}`
  chart.querySelector('.chart-cursor').setAttribute('d', `M${nearest.x} 0V150`)
})

// Readings arrive every ten seconds: fetch the page again and swap the parts marked data-live. Until the first one is there
// the page is looked at more often.
const PERIOD_MS = 10000
const WAITING_MS = 2000
const refresh = async () => {
  if (document.hidden) return
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } })
  if (answer.redirected) {
    location.reload()
    return
  }
  if (!answer.ok) return
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html')
  for (const part of document.querySelectorAll('[data-live]')) {
    const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`)
    if (!next || part.contains(document.activeElement) || part.innerHTML === next.innerHTML) continue
    part.replaceChildren(...next.childNodes)
  }
}
if (document.querySelector('[data-live]')) {
  const turn = async () => {
    // A failed refresh is tried again at the next turn; the page then shows how old its readings are.
    await refresh().catch(() => undefined)
    wait()
  }
  const wait = () => setTimeout(turn, document.querySelector('[data-waiting]') ? WAITING_MS : PERIOD_MS)
  wait()
}

// While an export is written its bar moves by itself; when one has ended the page is looked at again.
const watchExports = async () => {
  const rows = [...document.querySelectorAll('[data-exports] [data-export]')]
  if (document.hidden || rows.length === 0) return
  const answer = await fetch('/api/exports')
  if (!answer.ok) return
  const now = new Map((await answer.json()).map((one) => [one.id, one]))
  for (const row of rows) {
    const one = now.get(row.dataset.export)
    const bar = row.querySelector('progress')
    if (!one || !bar) continue
    if (one.percent === null) bar.removeAttribute('value')
    else bar.value = one.percent
    if (one.progress) row.querySelector('[data-progress]').textContent = one.progress
  }
  if (rows.some((row) => now.get(row.dataset.export)?.status !== row.dataset.status)) await refresh()
}
if (document.querySelector('[data-exports]')) {
  const turn = async () => {
    await watchExports().catch(() => undefined) // Tried again at the next turn.
    if (document.querySelector('[data-exports]')) setTimeout(turn, 1000)
  }
  setTimeout(turn, 1000)
}

// A button that prints the page is there for those who have scripts.
for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false
  button.addEventListener('click', () => print())
}
