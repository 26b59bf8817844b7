import { DEFAULT_MEDIATION_LIMITS, type MediationLimits } from '@mayfly/common'
import { CommandLineError } from './command-line-error.js'

/**
 * The limits that `text`, the value of MAYFLY_LIMITS, overrides. Throws CommandLineError where it is anything
 * but a JSON object of known names and positive numbers.
 */
export function limitsFromJson(text: string): Partial<MediationLimits> {
  const limits: Record<string, number> = {}
  for (const [name, value] of Object.entries(parseObject(text))) {
    if (!Object.hasOwn(DEFAULT_MEDIATION_LIMITS, name))
      throw wrong(`there is no limit ${JSON.stringify(name)}`)
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
      throw wrong(`${name} must be a positive number`)
    }
    limits[name] = value
  }
  return limits
}

function parseObject(text: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw wrong('it must be a JSON object')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong('it must be a JSON object')
  return value
}

function wrong(why: string): CommandLineError {
  return new CommandLineError(2, `MAYFLY_LIMITS: ${why}`)
}
