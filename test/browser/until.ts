import type { Page } from 'playwright-core'

/**
 * Settles when what is asked in the page is so. For questions that are answered by a promise: `waitForFunction` takes the promise
 * itself for a yes.
 */
export async function until<Arg>(page: Page, isSo: (arg: Arg) => Promise<boolean>, arg?: Arg): Promise<void> {
  while (!(await page.evaluate(isSo as (arg: unknown) => Promise<boolean>, arg)))
    await page.waitForTimeout(50)
}
