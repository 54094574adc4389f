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

// Readings arrive every ten seconds: fetch the page again and swap the parts marked data-live.
const PERIOD_MS = 10000
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
  // A failed refresh is tried again at the next turn; the page then shows how old its readings are.
  setInterval(() => refresh().catch(() => undefined), PERIOD_MS)
}
