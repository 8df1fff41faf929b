import { describeBudgets } from '../../test/budgets.ts';

describeBudgets();
