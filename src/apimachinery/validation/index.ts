/** Door of validation: field errors and their Status, names, labels, and the metadata every object has. */
export {
  type FieldError, type FieldErrorType, type InvalidSubject, OMIT_VALUE, at, child, duplicate, fieldErrorText, forbidden, formatValue,
  internal, invalid, invalidError, notFound, notSupported, required, tooLong, tooLongCharacters, tooMany, typeInvalid,
} from './field-error.ts';
export { dns1035Label, dns1123Label, maxLengthMessage, dns1123Subdomain, qualifiedName, labelValue, portName, configMapKey, envVarName, pathSegmentName, wildcardDns1123Subdomain } from './names.ts';
export { validateObjectMeta, validateObjectMetaUpdate, validateLabels, validateAnnotations, validateLabelSelector, finalizerWarnings, type NameCheck, type MetaOptions } from './meta.ts';
