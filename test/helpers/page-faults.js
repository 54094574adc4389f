// Runs in a page of the browser; its value is a list of what is wrong there. See page-check.ts.
(() => {
  const faults = []
  const root = document.documentElement
  const nameOf = (element) => element.outerHTML.replace(/\s+/g, ' ').slice(0, 80)
  // Text for screen readers alone is kept in a box of one pixel.
  const seen = (element) => [...element.getClientRects()].some(({ width, height }) => width > 1 && height > 1)

  if (document.title.trim() === '') faults.push('no title')
  if (!root.lang) faults.push('no language')
  if (document.querySelectorAll('h1').length !== 1) faults.push('not exactly one h1')
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll('body *')].find((one) => one.getBoundingClientRect().right > innerWidth + 1)
    faults.push(`wider than the window by ${root.scrollWidth - root.clientWidth} px: ${wide ? nameOf(wide) : ''}`)
  }
  const ids = [...document.querySelectorAll('[id]')].map((one) => one.id)
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`id twice: ${id}`)

  for (const field of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
    const label = [...(field.labels ?? [])].map((one) => one.textContent).join('')
    if ((label + (field.ariaLabel ?? '')).trim() === '') faults.push(`no label: ${nameOf(field)}`)
  }
  for (const control of document.querySelectorAll('a[href], button')) {
    const text = (control.textContent ?? '') + (control.ariaLabel ?? '') + (control.querySelector('img')?.alt ?? '')
    if (text.trim() === '') faults.push(`no name: ${nameOf(control)}`)
  }
  for (const image of document.images) {
    if (!image.hasAttribute('alt')) faults.push(`no alt: ${nameOf(image)}`)
    if (image.complete && image.naturalWidth === 0) faults.push(`not loaded: ${nameOf(image)}`)
  }

  // Contrast by WCAG 2: 4.5, or 3 for large text. Grounds are plain colours here; a gradient is left out.
  const channels = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = ([r = 0, g = 0, b = 0]) => {
    const linear = [r, g, b].map((value) => {
      const part = value / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }
  const groundOf = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one)
      if (style.backgroundImage !== 'none') return undefined
      const colour = channels(style.backgroundColor)
      if (colour.length === 3 || colour[3] === 1) return colour
    }
    return [255, 255, 255]
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement
    const text = texts.currentNode.textContent?.trim() ?? ''
    if (!element || text.length < 2 || !seen(element) || element.closest('[aria-hidden=true], script, style')) continue
    const style = getComputedStyle(element)
    const ground = groundOf(element)
    if (!ground || style.visibility === 'hidden') continue
    const [light, dark] = [luminance(channels(style.color)), luminance(ground)].sort((a, b) => b - a)
    const contrast = (light + 0.05) / (dark + 0.05)
    const size = Number.parseFloat(style.fontSize)
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
    if (contrast < (large ? 3 : 4.5)) faults.push(`contrast ${contrast.toFixed(2)}: "${text.slice(0, 40)}"`)
  }
  return faults
})()
