/** Door of quantities (`500m`, `1Gi`): exact numbers with a suffix, in canonical form. */
export { type Quantity, parseQuantity, formatQuantity, canonicalQuantity, compareQuantities, addQuantities, subtractQuantities, negateQuantity, isQuantity, quantityMilli, quantityValue, QUANTITY_PATTERN_MESSAGE } from './quantity.ts';
